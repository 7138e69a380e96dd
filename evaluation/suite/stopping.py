"""Asking only until the interval is narrow enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluation.agreement import Verdict
from evaluation.benchmark import Benchmark, Verdicts
from evaluation.records import ModelAnswers
from evaluation.sequential import SequentialMean, random_order
from evaluation.suite.numbers import GRADES, SHARES, numbers_of, of_questions
from mnpo.judging.calls import Call

#: Questions between two looks at the intervals.
BATCH = 16


@dataclass(frozen=True)
class Stopped:
    """Where asking ended.

    Attributes:
        questions: that were asked about, a random sample of all.
        total: of the benchmark.
        note: one line for the report; "" where all were asked.
    """

    questions: tuple[str, ...]
    total: int
    note: str


def ask_until_narrow(
    benchmark: Benchmark,
    models: Sequence[ModelAnswers],
    verdicts: Verdicts,
    ask: Callable[[list[Call]], object],
    width: float,
    seed: int,
) -> Stopped:
    """Ask about questions in random order until every model's interval has the wanted width.

    What is watched is the plain mean over questions of a model's verdicts, ties as halves and
    repeats averaged, in percent for comparisons and in points for grades. Its interval is a
    confidence sequence (`evaluation.sequential`): it holds at whatever moment one stops.

    Args:
        benchmark: what is asked.
        models: whose answers.
        verdicts: looks up what became of a call.
        ask: has these calls answered.
        width: end to end, in percent or points.
        seed: of the order.
    """
    names = [q.id for q in benchmark.questions() if any(q.id in own.answers for own in models)]
    order = random_order(names, seed)
    watched: dict[str, SequentialMean] = {}
    scale = 1.0
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        parts = [of_questions(own, batch) for own in models]
        ask([call for part in parts for call in benchmark.calls(part)])
        for part in parts:
            found = list(numbers_of(benchmark, part, verdicts, ""))
            if not found:
                continue
            graded = not found[0].order
            bounds = GRADES if graded else SHARES
            scale = 1.0 if graded else 100.0
            sequence = watched.setdefault(part.model, SequentialMean(*bounds, width=width / scale))
            for question in batch:
                if (value := _mean(found, question)) is not None:
                    sequence.add(value)
        done = start + len(batch)
        if len(watched) == len(models) and done < len(order):
            ends = [sequence.interval for sequence in watched.values()]
            if all(sequence.enough(width / scale) for sequence in watched.values()):
                text = ", ".join(
                    f"{name} [{scale * (end.low or 0):.2f}, {scale * (end.high or 0):.2f}]"
                    for name, end in zip(watched, ends, strict=True)
                )
                return Stopped(
                    order[:done],
                    len(order),
                    f"asking stopped after {done} of {len(order)} questions: the confidence "
                    f"sequence of every model's mean verdict is at most {width:g} wide ({text})",
                )
    return Stopped(order, len(order), "")


def _mean(found: Sequence[Verdict], question: str) -> float | None:
    values = [own.value for own in found if own.item == question]
    return sum(values) / len(values) if values else None
