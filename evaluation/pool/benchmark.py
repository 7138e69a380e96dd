"""Cross-play as a benchmark: every model against every other, by any judge."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.benchmark import Verdicts
from evaluation.gaps import Gap, by_reason, require_whole
from evaluation.points import PointsContract
from evaluation.pool.asking import (
    PARAMETERS,
    TEMPLATE,
    Meeting,
    by_model,
    calls_of,
    check_opponents,
    meetings,
    template_name,
)
from evaluation.pool.measuring import Measured, measure
from evaluation.pool.report import comparisons, markdown, model_scores
from evaluation.pool.standings import PoolStandings, pool_standings
from evaluation.pool.tables import pairs_csv
from evaluation.pool.wins_file import WINS, wins_bytes
from evaluation.records import ModelAnswers, Question
from evaluation.scores import Scores
from evaluation.suspicion import flags_of
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Call, Contract
from mnpo.runs.files import digest


class CrossPlayBenchmark:
    """All pairs of a pool on one list of questions, both orders.

    Its calls are about two models, so it has `calls_all` where other benchmarks have ``calls``.
    Several `ModelAnswers` of one model are samples of its answers: the k-th of one model meets
    the k-th of another.

    Args:
        questions: of any benchmark. One with several turns is judged as a whole, by judges that
            read; an oracle has no answer to it.
        template: Jinja text of the question to the judge; None takes the project's own.
        contract: the form of the verdict: its value is P(first answer shown beats the second).
        opponents: weights of a common mixture of opponents, by model; None weighs all models
            alike. Against itself a model scores 1/2.
        repeats: how often the same is asked.
        seed: of the bootstrap.

    Raises:
        InvalidSetting: no questions, one twice, or repeats below 1.
    """

    name = "cross-play"

    def __init__(
        self,
        questions: Sequence[Question],
        *,
        template: str | None = None,
        contract: Contract | None = None,
        opponents: Mapping[str, float] | None = None,
        repeats: int = 1,
        seed: int = 0,
    ) -> None:
        self._questions = tuple(questions)
        ids = [question.id for question in self._questions]
        if not ids:
            raise InvalidSetting("cross-play: there are no questions")
        if len(set(ids)) < len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise InvalidSetting(f"cross-play: question '{twice}' is there twice")
        if repeats < 1:
            raise InvalidSetting(f"repeats must be at least 1, got {repeats}")
        self._template = TEMPLATE.read_text("utf-8") if template is None else template
        self._contract: Contract = PointsContract() if contract is None else contract
        self._opponents, self._repeats, self._seed = opponents, repeats, seed

    def questions(self) -> tuple[Question, ...]:
        """What models are asked."""
        return self._questions

    def hashes(self) -> Mapping[str, str]:
        """Of the questions and of the judge's template."""
        asked = [[q.id, list(q.turns), q.system] for q in self._questions]
        return {"questions": digest(asked), "template": digest(self._template)}

    def calls_all(self, answers: Sequence[ModelAnswers]) -> Iterator[Call]:
        """Everything a judge is asked about the pool, question by question.

        Two answers of the same text tie, and make no call.

        Raises:
            UserError: fewer than two models, an answer that does not fit its question, or a
                template that fails.
        """
        for meeting in meetings(self._questions, answers):
            for pair in self._calls(meeting):
                yield from pair

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """The figures of all models, in percent.

        Args:
            answers: as for `calls_all`.
            verdicts: outcome of every call.
            judge: its name.
            allow_missing: score although answers or verdicts are missing. A pair lacks the
                questions of which a verdict is missing; two models that share none are refused
                all the same.

        Raises:
            UserError: something is missing: which, and how many; or opponents that are no models.
        """
        measured = self._measure(answers, verdicts)
        if not allow_missing:
            _require_all(measured)
        pool = self._solve(measured)
        shares = self._shares(measured)
        return Scores(
            benchmark=self.name,
            judge=judge,
            models=model_scores(
                measured,
                pool,
                shares,
                {model: flags_of(own[0]) for model, own in by_model(answers).items()},
            ),
            comparisons=comparisons(measured.wins, shares),
            hashes=dict(self.hashes()),
            settings=self._settings(shares),
            notes=self._notes(measured, pool),
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str | bytes]]:
        """Pairs, win rates of every question, verdicts; the solved pool and its page.

        They are ``crossplay.csv``, ``crossplay-wins.parquet``, ``verdicts.jsonl``; and, where every
        pair shares a judged question, ``pool.json`` and ``crossplay.md``.
        """
        measured = self._measure(answers, verdicts)
        yield Path("crossplay.csv"), pairs_csv({judge: measured.wins})
        names = [question.id for question in self._questions]
        yield Path(WINS), wins_bytes({judge: measured.wins}, names)
        yield Path("verdicts.jsonl"), "".join(self._lines(answers, verdicts))
        if not measured.wins.complete:
            return
        pool, shares = self._solve(measured), self._shares(measured)
        share = pool.cyclic_share
        game = {
            "models": list(measured.wins.names),
            "judge": judge,
            "win_rates": pool_rates(measured),
            "nash_average": pool.game.nash.tolist(),
            "nash_is_unique": pool.game.nash_is_unique,
            "exploitability": pool.game.exploitability.tolist(),
            "cyclic_share": {"value": share.value, "low": share.low, "high": share.high},
            "cyclic_share_uncorrected": pool.game.cyclic_share,
            "opponents": shares,
        }
        yield Path("pool.json"), json.dumps(game, indent=1, allow_nan=False) + "\n"
        notes = (f"judge {judge}", *self._notes(measured, pool))
        yield Path("crossplay.md"), markdown(measured.wins, pool, shares, notes)

    def _calls(self, meeting: Meeting) -> list[tuple[Call, Call]]:
        return calls_of(
            meeting, template=self._template, contract=self._contract, repeats=self._repeats
        )

    def _measure(self, answers: Sequence[ModelAnswers], verdicts: Verdicts) -> Measured:
        return measure(
            self._questions,
            answers,
            verdicts,
            template=self._template,
            contract=self._contract,
            repeats=self._repeats,
        )

    def _solve(self, measured: Measured) -> PoolStandings:
        wins = measured.wins
        apart = next(
            ((a, b) for a in wins.names for b in wins.names if not wins.measured(a, b)), None
        )
        if apart is not None:
            raise UserError(
                f"cross-play: {apart[0]} and {apart[1]} have no question that both answered and "
                "that was judged, so the pool has no win matrix"
            )
        return pool_standings(wins, seed=self._seed)

    def _shares(self, measured: Measured) -> dict[str, float]:
        names = measured.wins.names
        opponents = dict.fromkeys(names, 1.0) if self._opponents is None else self._opponents
        return check_opponents(opponents, names)

    def _settings(self, shares: Mapping[str, float]) -> dict[str, Any]:
        return {
            "template": template_name(self._template),
            "contract": self._contract.name,
            "parameters": dict(PARAMETERS),
            "orders": "both",
            "repeats": self._repeats,
            "opponents": dict(shares),
            "bootstrap_seed": self._seed,
        }

    def _notes(self, measured: Measured, pool: PoolStandings) -> tuple[str, ...]:
        share = pool.cyclic_share
        text = f"cyclic share of the pool {share.value:.2f}"
        if share.low is not None and share.high is not None:
            text += f" [{share.low:.2f}, {share.high:.2f}]"
        notes = [f"{text} (before the correction for noise {pool.game.cyclic_share:.2f})"]
        if not pool.game.nash_is_unique:
            notes.append("the Nash average is not unique: the one of largest entropy is shown")
        if measured.alike:
            notes.append(f"{measured.alike} pairs of answers are the same text: ties, not asked")
        if measured.unjudged:
            notes.append(
                f"{len(measured.unjudged)} pairs of answers have no whole verdict: left out"
            )
        return tuple(notes)

    def _lines(self, answers: Sequence[ModelAnswers], verdicts: Verdicts) -> Iterator[str]:
        for meeting in meetings(self._questions, answers):
            for pair in self._calls(meeting):
                for call in pair:
                    outcome = verdicts(call)
                    row = {
                        "question_id": meeting.question.id,
                        "first": meeting.first,
                        "second": meeting.second,
                        "sample": meeting.sample,
                        "order": call.order,
                        "repeat": call.repeat,
                        "preference_for_shown_first": outcome.value,
                        "missing": outcome.missing,
                    }
                    yield json.dumps(row, ensure_ascii=False) + "\n"


def pool_rates(measured: Measured) -> list[list[float]]:
    """The mean win matrix, row against column."""
    return [[float(value) for value in row] for row in measured.wins.mean]


def _require_all(measured: Measured) -> None:
    asked = len(measured.wins.wins)
    answers = [
        Gap(f"cross-play, {model}", "answers", {"": missing}, asked)
        for model, missing in measured.unanswered.items()
    ]
    require_whole(answers, allow_missing=False)
    unjudged = by_reason(
        (f"{first} and {second} on question {question}", why)
        for question, first, second, why in measured.unjudged
    )
    whole = Gap("cross-play", "whole verdicts on pairs of answers", unjudged)
    require_whole([whole], allow_missing=False, remedy="evaluate again to ask for them")
