"""Asking only until the interval is narrow enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluation.benchmark import Benchmark, Verdicts
from evaluation.records import ModelAnswers
from evaluation.sequential import SequentialMean, random_order
from evaluation.suite.numbers import GRADES, SHARES, is_graded, of_questions, question_values

#: Questions between two looks at the intervals.
BATCH = 16


@dataclass(frozen=True)
class Stopped:
    """Where asking ended.

    Attributes:
        questions: that were asked about, a random sample of all.
        note: one line for the report; "" where all were asked.
    """

    questions: tuple[str, ...]
    note: str


def ask_until_narrow(
    benchmark: Benchmark,
    models: Sequence[ModelAnswers],
    verdicts: Verdicts,
    ask: Callable[[Sequence[ModelAnswers]], object],
    width: float,
    seed: int,
) -> Stopped:
    """Ask about questions in random order until every model's interval has the wanted width.

    What is watched is the plain mean over questions of `question_values`, in percent for
    comparisons and in points for grades. Its interval is a confidence sequence
    (`evaluation.sequential`): it holds at whatever moment one stops. Questions with a missing
    verdict are not watched.

    Args:
        benchmark: what is asked.
        models: whose answers.
        verdicts: looks up what became of a call.
        ask: has all calls about these answers answered.
        width: end to end, in percent or points.
        seed: of the order.
    """
    order = random_order([question.id for question in benchmark.questions()], seed)
    graded = is_graded(benchmark, models)
    scale = 1.0 if graded else 100.0
    watched = {
        own.model: SequentialMean(*(GRADES if graded else SHARES), width=width / scale)
        for own in models
    }
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        parts = [of_questions(own, batch) for own in models]
        ask(parts)
        for own in parts:
            for value in question_values(benchmark, own, verdicts).values():
                watched[own.model].add(value)
        asked = order[: start + len(batch)]
        if len(asked) < len(order) and all(
            sequence.enough(width / scale) for sequence in watched.values()
        ):
            return Stopped(asked, _note(asked, order, width, scale, watched))
    return Stopped(order, "")


def _note(
    asked: Sequence[str],
    order: Sequence[str],
    width: float,
    scale: float,
    watched: dict[str, SequentialMean],
) -> str:
    ends = {name: sequence.interval for name, sequence in watched.items()}
    text = ", ".join(
        f"{name} [{scale * (end.low or 0):.2f}, {scale * (end.high or 0):.2f}]"
        for name, end in ends.items()
    )
    return (
        f"asking stopped after {len(asked)} of {len(order)} questions, drawn at random, and those "
        f"are scored: the confidence sequence of every model's mean verdict is at most {width:g} "
        f"wide ({text})"
    )
