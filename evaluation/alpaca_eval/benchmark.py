"""AlpacaEval 2 for the harness: questions, calls, scores, official files."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from evaluation.alpaca_eval.annotator import Annotator, open_annotator
from evaluation.alpaca_eval.artefacts import Judged, annotations_json, outputs_json
from evaluation.alpaca_eval.contract import TEXT, contract_of
from evaluation.alpaca_eval.glm_files import GlmFiles, registered
from evaluation.alpaca_eval.reference import Prompt, Reference, read_reference
from evaluation.alpaca_eval.sample import Sample, require_complete
from evaluation.alpaca_eval.scoring import NAME, load, score_samples
from evaluation.benchmark import Verdicts
from evaluation.data.files import BenchmarkFiles
from evaluation.naming import folder_name
from evaluation.records import ModelAnswers, Question
from evaluation.scores import Scores
from evaluation.suspicion import flags_of
from mnpo.conversation import Message
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Call, Comparison
from mnpo.runs.files import sha256_file

OFFICIAL_ANNOTATOR = "weighted_alpaca_eval_gpt4_turbo"
Orders = Literal["one", "both"]


def open_benchmark(
    files: BenchmarkFiles,
    *,
    limit: int | None = None,
    annotator: str = OFFICIAL_ANNOTATOR,
    orders: Orders = "one",
) -> "AlpacaEval":
    """The benchmark from its files.

    Args:
        files: reference; df_gamed for length control; judge_config and judge_prompt where the
            installed package's are not wanted.
        limit: so many instructions, evenly spread; None takes all.
        annotator: which of the package's judge prompts is used.
        orders: "one" shows the two outputs in one random order, as the package does; "both" asks
            in both and takes the mean.

    Raises:
        InvalidSetting: an unknown or unsupported annotator, an impossible limit.
        UserError: a file is missing or cannot be used.
    """
    if orders not in ("one", "both"):
        raise InvalidSetting(f"orders must be 'one' or 'both', got {orders!r}")
    path = files["reference"]
    return AlpacaEval(
        read_reference(path).limited(limit),
        open_annotator(annotator, files),
        registered(files),
        orders,
        {"reference": sha256_file(path)},
    )


class AlpacaEval:
    """See `evaluation.benchmark.Benchmark`."""

    name = NAME

    def __init__(
        self,
        reference: Reference,
        annotator: Annotator,
        glm: GlmFiles,
        orders: Orders,
        hashes: Mapping[str, str],
    ) -> None:
        self._reference, self._annotator, self._glm = reference, annotator, glm
        self._orders, self._hashes = orders, dict(hashes)
        self._contract = contract_of(annotator)

    def questions(self) -> tuple[Question, ...]:
        """One turn each; the benchmark prescribes no sampling settings of the answers."""
        return tuple(own.question() for own in self._reference.prompts)

    def only(self, questions: Collection[str]) -> "AlpacaEval":
        """With these instructions alone."""
        own = copy(self)
        own._reference = self._reference.only(questions)
        return own

    def hashes(self) -> Mapping[str, str]:
        """sha256 of the files, and the template's hash."""
        return {
            **self._hashes,
            **self._glm.hashes(),
            f"template {self._annotator.name}": self._annotator.hash,
        }

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """One for each answer that differs from the baseline's, or one for each order.

        Equal answers are a draw without asking, as in the package.

        Raises:
            UserError: the model is the baseline.
        """
        if answers.model == self._reference.generator:
            raise UserError(
                f"{self.name}: {answers.model} is the baseline that all models are compared with"
            )
        for prompt in self._reference.prompts:
            text = _text(answers, prompt)
            if text is not None:
                yield from self._calls(answers.model, prompt, text)

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """All figures.

        Raises:
            UserError: answers or preferences are missing: of which model, how many, which.
        """
        judged = {own.model: self._judged(own, verdicts) for own in answers}
        samples = [self._sample(own, judged[own.model]) for own in answers]
        require_complete(samples, self._reference, allow_missing)
        reasons = Counter(row.missing for rows in judged.values() for row in rows if row.missing)
        own = self._annotator
        return score_samples(
            samples,
            load(self._reference, self._glm),
            judge=judge,
            hashes=self.hashes(),
            settings={
                "baseline": self._reference.generator,
                "instructions": len(self._reference.prompts),
                "annotator": own.name,
                "official_judge": own.model,
                "parameters": dict(own.parameters),
                "parser": own.parser,
                "orders": self._orders,
            },
            notes=[f"{count} preferences missing: {why}" for why, count in sorted(reasons.items())],
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """``MODEL/model_outputs.json`` and ``MODEL/JUDGE/annotations.json``."""
        for own in answers:
            rows = self._judged(own, verdicts)
            folder = Path(folder_name(own.model))
            yield folder / "model_outputs.json", outputs_json(own.model, rows)
            yield (
                folder / folder_name(judge) / "annotations.json",
                annotations_json(own.model, self._reference.generator, judge, rows),
            )

    def _calls(self, model: str, prompt: Prompt, text: str) -> tuple[Call, ...]:
        if text == prompt.baseline:
            return ()
        switched = self._annotator.switched(prompt.instruction)
        sides = (switched, not switched) if self._orders == "both" else (switched,)
        return tuple(self._call(model, prompt, text, side) for side in sides)

    def _call(self, model: str, prompt: Prompt, text: str, switched: bool) -> Call:
        first, second = (text, prompt.baseline) if switched else (prompt.baseline, text)
        return Call(
            item=f"{prompt.index}/{model}",
            question=prompt.question().id,
            messages=self._annotator.messages(prompt.instruction, first, second),
            contract=self._contract,
            template=f"{self._annotator.name}@{self._annotator.hash}",
            parameters=self._annotator.parameters,
            order="AB" if switched else "BA",  # A is the model, as everywhere in the harness
            comparison=Comparison((Message("user", prompt.instruction),), first, second),
        )

    def _judged(self, answers: ModelAnswers, verdicts: Verdicts) -> list[Judged]:
        """Every answer with its preference."""
        rows = []
        for prompt in self._reference.prompts:
            text = _text(answers, prompt)
            if text is None:
                continue
            values, replies, read, missing = [], [], set(), ""
            for call in self._calls(answers.model, prompt, text):
                outcome = verdicts(call)
                replies.append(outcome.reply)
                if outcome.value is None:
                    missing = missing or outcome.missing or "no reply"
                    continue
                shown = float(outcome.value["preference"])
                values.append(3 - shown if call.order == "AB" else shown)
                read.add(str(outcome.value["read"]))
            preference = None if missing else float(np.mean(values)) if values else 1.5
            rows.append(Judged(prompt, text, preference, missing, tuple(replies), frozenset(read)))
        return rows

    def _sample(self, answers: ModelAnswers, rows: Sequence[Judged]) -> Sample:
        preference = [np.nan if row.preference is None else row.preference for row in rows]
        lengths = [(len(row.prompt.baseline), len(row.output)) for row in rows]
        sample = Sample(
            answers.model,
            np.array([row.prompt.index for row in rows], dtype=np.int64),
            np.array(preference, dtype=np.float64),
            np.array(lengths, dtype=np.int64).reshape(-1, 2),
            len(self._reference.prompts),
            float(np.mean([own for _, own in lengths])) if lengths else None,
            flags_of(answers),
        )
        read = Counter(name for row in rows for name in row.read)
        flags = []
        if read[TEXT] and self._annotator.parser == "logprob_parser":
            flags.append(
                f"{read[TEXT]} preferences are discrete: the judge reported no log-probabilities, "
                "its words were read"
            )
        details = {"preferences_read_from": dict(read)}
        return replace(sample.flagged(flags), details=details)


def _text(answers: ModelAnswers, prompt: Prompt) -> str | None:
    own = answers.answers.get(str(prompt.index))
    return None if own is None else own.turns[0]
