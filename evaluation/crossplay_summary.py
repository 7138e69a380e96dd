"""What a cross-play says of each policy: the rows of its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.pool.standings import Standing
from evaluation.statistics import Interval, mean_interval
from evaluation.winmatrix import WinMatrix, mean_over_judges


@dataclass(frozen=True)
class Answers:
    """One policy's responses to the held-out prompts.

    Attributes:
        texts: for each prompt, what the judge reads.
        tokens: for each prompt, the lengths of its responses.
        finished: for each prompt, whether each response ended by itself.
    """

    texts: tuple[tuple[str, ...], ...]
    tokens: tuple[tuple[int, ...], ...]
    finished: tuple[tuple[bool, ...], ...]

    @property
    def count(self) -> int:
        """Responses to all prompts."""
        return sum(len(own) for own in self.texts)


@dataclass(frozen=True)
class PolicySummary:
    """How one policy did.

    Attributes:
        name: in the pool.
        sha256: of its checkpoint.
        against_start: win rate against the start; None for the start itself.
        standing: in the pool; None where only the start was played against.
        tokens: mean length of a response.
        unfinished: share of responses that were cut at the length limit.
        responses: how many.
        distinct: how many different ones.
        annotators: win rate against the start under each annotator of a population.
        worst_annotator: the one with the lowest.
        mean_annotator: mean over the annotators in equal shares.
    """

    name: str
    sha256: str
    against_start: Interval | None
    standing: Standing | None
    tokens: Interval
    unfinished: Interval
    responses: int
    distinct: int
    annotators: Mapping[str, Interval]
    worst_annotator: str | None
    mean_annotator: Interval | None

    @property
    def against_pool(self) -> Interval | None:
        """Mean win rate against every other policy."""
        return None if self.standing is None else self.standing.against_pool

    @property
    def worst_opponent(self) -> str | None:
        """Who beats it most often."""
        return None if self.standing is None else self.standing.worst_opponent

    @property
    def against_worst(self) -> Interval | None:
        """Win rate against the worst opponent."""
        return None if self.standing is None else self.standing.against_worst

    @property
    def exploitability(self) -> float | None:
        """As measured; its interval is the standing's."""
        return None if self.standing is None else self.standing.exploitability.value

    @property
    def nash(self) -> float | None:
        """Share in the Nash average, as measured."""
        return None if self.standing is None else self.standing.nash.value

    @property
    def nash_win_rate(self) -> float | None:
        """Win rate against the Nash average, as measured."""
        return None if self.standing is None else self.standing.nash_win_rate.value


def summarize(
    name: str,
    sha256: str,
    *,
    start: str,
    judged: WinMatrix,
    population: Mapping[str, WinMatrix],
    standing: Standing | None,
    answers: Answers,
) -> PolicySummary:
    """One policy's summary.

    Args:
        name: of the policy.
        sha256: of its checkpoint.
        start: name of the start.
        judged: the headline judge's win rates.
        population: those of the annotators of a population; may be empty.
        standing: in the whole pool; None where only the start was played against.
        answers: its responses.
    """
    starts = name == start
    annotators: dict[str, Interval] = {}
    if not starts:
        annotators = {key: matrix.pair(name, start) for key, matrix in population.items()}
    return PolicySummary(
        name=name,
        sha256=sha256,
        against_start=None if starts else judged.pair(name, start),
        standing=standing,
        tokens=over_prompts(answers.tokens),
        unfinished=over_prompts(
            [[float(not ended) for ended in own] for own in answers.finished], bounds=(0.0, 1.0)
        ),
        responses=answers.count,
        distinct=len({text for own in answers.texts for text in own}),
        annotators=annotators,
        worst_annotator=min(annotators, key=lambda key: annotators[key].value, default=None),
        mean_annotator=mean_over_judges(list(population.values())).pair(name, start)
        if annotators
        else None,
    )


def over_prompts(
    values: Sequence[Sequence[float]], bounds: tuple[float, float] | None = None
) -> Interval:
    """Mean over all responses; the prompts are the clusters."""
    flat = np.array([value for own in values for value in own], dtype=np.float64)
    prompts = [number for number, own in enumerate(values) for _ in own]
    return mean_interval(flat, prompts, bounds=bounds)
