"""One benchmark under one judge: asked, scored, and said what it cost."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.agreement import COLUMNS, Verdict, agreement
from evaluation.answers.endpoint import ask_endpoint
from evaluation.answers.generate import Answered
from evaluation.judges.build import concurrency_of, held, price_of
from evaluation.pool.benchmark import CrossPlayBenchmark
from evaluation.records import ModelAnswers
from evaluation.scores import ModelScore, Scores
from evaluation.suite.answering import Answers, Listen
from evaluation.suite.numbers import NamedCalls, calls_of, numbers_of, of_questions
from evaluation.suite.opening import Suite
from evaluation.suite.stopping import ask_until_narrow
from evaluation.suspicion import flags_of
from evaluation.tidy import csv_text
from mnpo.errors import UserError
from mnpo.judging.budget import Budget
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Call, Judge
from mnpo.judging.executor import Executor
from mnpo.judging.failures import RESUME, AskingStopped
from mnpo.judging.limits import Limits
from mnpo.judging.report import AskReport, Progress
from mnpo.judging.spend import Spend
from mnpo.runs.files import digest


@dataclass(frozen=True)
class Scored:
    """A benchmark's scores and its files in official formats, by path below its folder."""

    scores: Scores
    files: Mapping[Path, str | bytes]


class Judging:
    """All asking of an evaluation: one budget, one store of answers.

    Args:
        suite: what is to be judged.
        cache: where verdicts are kept.
        listen: told what is going on.

    Attributes:
        spend: of every benchmark under every judge.
    """

    def __init__(self, suite: Suite, cache: AnswerCache, listen: Listen) -> None:
        settings = suite.settings
        self.spend: dict[tuple[str, str], Spend] = {}
        self._suite = suite
        self._listen = listen
        budget = Budget(settings.max_cost, settings.max_calls)
        self._speaking = {
            own.name: Executor(
                suite.speakers[own.name],
                cache,
                limits=Limits(concurrency=own.endpoint.concurrency, re_asks=0),
                budget=budget,
                price=own.endpoint.price,
            )
            for own in settings.models
            if own.endpoint is not None
        }
        self._executors = [
            Executor(
                judge,
                cache,
                limits=Limits(concurrency=concurrency_of(spec), re_asks=settings.re_asks),
                budget=budget,
                price=price_of(spec),
            )
            for spec, judge in suite.judges
        ]

    def speak(self, model: str, name: str) -> Answered:
        """Have a model behind an endpoint answer a benchmark's questions.

        Raises:
            UserError: it does not answer; what came is kept.
        """
        executor = self._speaking[model]
        executor.listen = lambda progress: self.show(f"{name}: {model} answers", None, progress)
        questions = self._suite.benchmarks[name].questions()
        return ask_endpoint(questions, model, executor, self._suite.settings.answers)

    def judge(self, name: str, index: int, answers: Answers) -> Scored:
        """Ask a judge about all answers to a benchmark, and score them.

        Args:
            name: the benchmark's.
            index: which of the judges.
            answers: of all models.

        Raises:
            UserError: the judge does not answer, or verdicts are missing; what came is kept.
        """
        benchmark, executor = self._suite.benchmarks[name], self._executors[index]
        settings, models = self._suite.settings, answers.models
        asking = _Asking(self, name, executor)
        notes: list[str] = []

        def ask(parts: Sequence[ModelAnswers]) -> None:
            asking.ask(lambda: (call for own in parts for call in benchmark.calls(own)))

        if settings.stop_width is None:
            ask(models)
        else:
            with held(executor.judge):
                stopped = ask_until_narrow(
                    benchmark,
                    models,
                    executor.outcome,
                    ask,
                    settings.stop_width,
                    settings.answers.seed,
                )
            if stopped.note:
                benchmark = benchmark.only(stopped.questions)
                models = tuple(of_questions(own, stopped.questions) for own in models)
                notes.append(stopped.note)
        judge = executor.judge.name
        with asking.explained():
            scores = benchmark.score(
                models, executor.outcome, judge=judge, allow_missing=settings.allow_missing
            )
        files: dict[Path, str | bytes] = dict(
            benchmark.artefacts(models, executor.outcome, judge=judge)
        )
        scores = _by(executor.judge, scores)
        return Scored(_told(scores, answers, models, (*notes, *asking.notes())), files)

    def cross_play(self, index: int, answers: Answers) -> Scored:
        """Have a judge compare every model with every other.

        Raises:
            UserError: as `judge`.
        """
        executor, settings = self._executors[index], self._suite.settings
        benchmark = self._pool()
        asking = _Asking(self, benchmark.name, executor)
        asking.ask(lambda: benchmark.calls_all(answers.models))
        name = executor.judge.name
        with asking.explained():
            scores = benchmark.score(
                answers.models,
                executor.outcome,
                judge=name,
                allow_missing=settings.allow_missing,
            )
        files = dict(benchmark.artefacts(answers.models, executor.outcome, judge=name))
        notes = asking.notes()
        if settings.stop_width is not None:
            notes = (*notes, "stop_width is for single benchmarks: all pairs were asked about")
        scores = _by(executor.judge, scores)
        return Scored(_told(scores, answers, answers.models, notes), files)

    def agreement(self, name: str, answers: Answers) -> dict[Path, str]:
        """How far the judges agree about a benchmark, and each with itself: files by name."""

        def calls() -> NamedCalls:
            if name == CrossPlayBenchmark.name:
                return ((call.item, call) for call in self._pool().calls_all(answers.models))
            return calls_of(self._suite.benchmarks[name], answers.models)

        found: list[Verdict] = []
        for executor in self._executors:
            found += numbers_of(calls(), executor.outcome, executor.judge.name)
        if not found:
            return {}
        result = agreement(found, seed=self._suite.settings.answers.seed)
        return {
            Path("agreement.json"): json.dumps(result.describe(), indent=1) + "\n",
            Path("agreement.csv"): csv_text(COLUMNS, result.rows()),
        }

    def _pool(self) -> CrossPlayBenchmark:
        settings = self._suite.settings
        return CrossPlayBenchmark(
            self._suite.benchmarks[settings.cross_play.questions].questions(),
            opponents=settings.cross_play.opponents,
            repeats=settings.repeats,
            seed=settings.answers.seed,
        )

    def spend_lines(self) -> list[str]:
        """What was spent, a line for each endpoint, benchmark and judge that was asked anything."""
        return [
            *(
                f"answers of {model}: {executor.spend.text()}"
                for model, executor in self._speaking.items()
                if executor.spend.requests
            ),
            *(
                f"{benchmark}, judge {judge}: {own.text()}"
                for (benchmark, judge), own in self.spend.items()
                if own.requests
            ),
        ]

    def show(self, what: str, total: int | None, progress: Progress) -> None:
        """Pass on how far asking is."""
        missing = f", {progress.missing} missing" if progress.missing else ""
        self._listen(f"{what}{missing}", progress.calls, total)


class _Asking:
    """The calls of one benchmark to one judge, in one list or several."""

    def __init__(self, judging: Judging, name: str, executor: Executor) -> None:
        self._judging, self._name, self._executor = judging, name, executor
        self._reports: list[AskReport] = []

    def ask(self, calls: Callable[[], Iterable[Call]]) -> None:
        """Have calls answered; they are made twice, for counting and for asking, never kept."""
        total = sum(1 for _ in calls())
        self._executor.listen = lambda progress: self._judging.show(
            f"{self._name}: judged", total, progress
        )
        try:
            report = self._executor.ask(calls())
        except AskingStopped as error:
            self._book(error.report)
            raise
        self._book(report)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say why verdicts are missing, where that is what stands in the way of a score."""
        try:
            yield
        except UserError as error:
            if not any(report.missing for report in self._reports):
                raise
            stopped = [report.stopped for report in self._reports if report.stopped]
            why = "".join(f"; {text}" for text in stopped[:1])
            raise UserError(f"{error}{why}; {RESUME}") from None

    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores must know of the asking."""
        invalid = sum(report.invalid for report in self._reports)
        if not invalid:
            return ()
        again = " and were asked again" if self._executor.limits.re_asks else ""
        return (f"{invalid} replies of the judge broke the contract{again}",)

    def _book(self, report: AskReport) -> None:
        self._reports.append(report)
        key = (self._name, self._executor.judge.name)
        self._judging.spend[key] = self._judging.spend.get(key, Spend()) + report.spend


def _by(judge: Judge, scores: Scores) -> Scores:
    """The scores with a hash of all that the judge's answers depend on."""
    return replace(scores, hashes={**scores.hashes, "judge": digest(judge.describe())})


def _told(
    scores: Scores, answers: Answers, models: tuple[ModelAnswers, ...], notes: tuple[str, ...]
) -> Scores:
    """The scores with what the answers and the asking give reason to warn of."""
    by_name = {own.model: own for own in models}
    return replace(
        scores,
        models=tuple(_flagged(own, by_name[own.model], answers) for own in scores.models),
        notes=(*scores.notes, *notes),
    )


def _flagged(own: ModelScore, given: ModelAnswers, answers: Answers) -> ModelScore:
    flags = list(own.flags)
    unanswered = answers.unanswered.get(own.model, {})
    if unanswered:
        question, why = next(iter(unanswered.items()))
        flags.append(f"{len(unanswered)} questions have no answer, e.g. {question}: {why}")
    cut = sum(not all(a.finished) for a in given.answers.values() if a.finished is not None)
    if cut:
        flags.append(f"{cut} of {len(given.answers)} answers were cut at the length limit")
    flags += [flag for flag in flags_of(given) if flag not in flags]
    return replace(own, flags=tuple(dict.fromkeys(flags)))
