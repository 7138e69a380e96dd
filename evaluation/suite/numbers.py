"""Verdicts of all benchmarks as numbers, for agreement figures and for stopping early."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from evaluation.agreement import Verdict
from evaluation.benchmark import Benchmark, Verdicts
from evaluation.records import ModelAnswers
from mnpo.judging.calls import Call, Value

#: Grades where one answer is judged alone: the range of MT-Bench's ratings.
GRADES = (1.0, 10.0)
#: Everywhere else: P(the model's answer is better).
SHARES = (0.0, 1.0)


def numbers_of(
    benchmark: Benchmark, answers: ModelAnswers, verdicts: Verdicts, judge: str
) -> Iterator[Verdict]:
    """Every verdict there is on one model's answers; missing ones are left out."""
    for question, call in calls_by_question(benchmark, answers):
        value = verdicts(call).value
        if value is None:
            continue
        lengths: tuple[int | None, int | None] = (None, None)
        if call.comparison is not None:
            lengths = (len(call.comparison.first), len(call.comparison.second))
            lengths = lengths[::-1] if call.order == "BA" else lengths
        yield Verdict(
            judge=judge,
            item=question,
            model=f"{answers.model}/{_part(call)}",
            order=call.order,
            repeat=call.repeat,
            value=number_of(call, value),
            first_length=lengths[0],
            second_length=lengths[1],
        )


def calls_by_question(benchmark: Benchmark, answers: ModelAnswers) -> Iterator[tuple[str, Call]]:
    """A benchmark's calls with the question that each is about."""
    for question in answers.answers:
        for call in benchmark.calls(of_questions(answers, (question,))):
            yield question, call


def of_questions(answers: ModelAnswers, questions: tuple[str, ...]) -> ModelAnswers:
    """The answers to some of the questions."""
    kept = {name: answers.answers[name] for name in questions if name in answers.answers}
    return replace(answers, answers=kept)


def bounds_of(call: Call) -> tuple[float, float]:
    """Smallest and largest number of a call's verdict."""
    return SHARES if call.order else GRADES


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


def _part(call: Call) -> str:
    """What of a question a call is about: its contract and template tell turns apart."""
    return call.template
