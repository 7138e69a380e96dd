"""Verdicts of all benchmarks as numbers, for agreement figures and for stopping early."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from evaluation.agreement import Verdict
from evaluation.benchmark import Benchmark, Verdicts
from evaluation.records import ModelAnswers
from mnpo.judging.calls import Call, Value

#: Grades where one answer is judged alone: the range of MT-Bench's ratings.
GRADES = (1.0, 10.0)
#: Everywhere else: P(the model's answer is better).
SHARES = (0.0, 1.0)

#: Calls, each with the name of what it is about: the same for both orders and all repeats.
NamedCalls: TypeAlias = Iterable[tuple[str, Call]]


def calls_of(benchmark: Benchmark, answers: Sequence[ModelAnswers]) -> NamedCalls:
    """A benchmark's calls; its templates tell the turns of a question apart."""
    for own in answers:
        for call in benchmark.calls(own):
            yield f"{own.model}/{call.template}", call


def numbers_of(calls: NamedCalls, verdicts: Verdicts, judge: str) -> Iterator[Verdict]:
    """Every verdict there is; missing ones are left out."""
    for name, call in calls:
        value = verdicts(call).value
        if value is None:
            continue
        first, second = _lengths(call)
        yield Verdict(
            judge=judge,
            item=call.question,
            model=name,
            order=call.order,
            repeat=call.repeat,
            value=number_of(call, value),
            first_length=first,
            second_length=second,
        )


def question_values(
    benchmark: Benchmark, answers: ModelAnswers, verdicts: Verdicts
) -> dict[str, float]:
    """The mean of all verdicts on each answer; 1/2 where it is the baseline's own text.

    Left out is an answer of which a verdict is missing: half of a pair of orders would bring the
    judge's liking for a place in.
    """
    found: dict[str, list[float | None]] = {question: [] for question in answers.answers}
    for call in benchmark.calls(answers):
        value = verdicts(call).value
        found[call.question].append(None if value is None else number_of(call, value))
    means = {}
    for question, values in found.items():
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            means[question] = sum(known) / len(known) if known else 0.5
    return means


def is_graded(benchmark: Benchmark, models: Sequence[ModelAnswers]) -> bool:
    """Whether answers are graded one by one, in points, instead of compared."""
    calls = (call for own in models for call in benchmark.calls(own))
    first = next(calls, None)
    return first is not None and not first.order


def of_questions(answers: ModelAnswers, questions: Collection[str]) -> ModelAnswers:
    """The answers to some of the questions."""
    kept = {name: answers.answers[name] for name in questions if name in answers.answers}
    return replace(answers, answers=kept)


def number_of(call: Call, value: Value) -> float:
    """P(the model's answer is better) for a comparison, the grade for a single answer.

    A label counts 1, 1/2 or 0: a strong verdict is a win like any other here.
    """
    if not call.order:
        return float(value)
    first = _first_wins(value)
    return first if call.order == "AB" else 1 - first


def _first_wins(value: Value) -> float:
    """P(the answer shown first is better)."""
    if isinstance(value, Mapping):  # AlpacaEval's: from 1, the first is better, to 2
        return 2 - float(value["preference"])
    if isinstance(value, int | float):
        return float(value)
    label = str(value)
    if label[:1] == "A" and "=" not in label:
        return 1.0
    return 0.0 if label[:1] == "B" and "=" not in label else 0.5


def _lengths(call: Call) -> tuple[int | None, int | None]:
    """Characters of the model's answer and of the other one."""
    if call.comparison is None:
        return None, None
    lengths = len(call.comparison.first), len(call.comparison.second)
    return lengths[::-1] if call.order == "BA" else lengths
