"""What a report says, as plain values: filled by the study, drawn by the writers beside this."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GameFacts:
    """What is known exactly about a game, before any algorithm runs.

    Attributes:
        name: registry name, or ``file:STEM``.
        actions: K labels.
        parameters: the resolved parameters the game was built with.
        preferences: (K, K) win probabilities; None for a contextual game.
        nash: (K,) unregularised equilibrium, the one of largest entropy when there are many;
            None when it was not computed.
        nash_unique: whether there is only one; None when unknown.
        regularized_equilibrium: (K,) at ``temperature`` and ``reference``; None at temperature 0
            and for contextual games.
        temperature: tau of the regularised game.
        reference: (K,), or (C, K) when each context has its own.
        cyclic_share: share of the preferences that no utility explains, 0 to 1; None if unknown.
        cyclic_triples: number of triples that beat one another in a circle; None if unknown.
        description: one sentence.
        players: of the one-vs-many game; 2 is the pairwise game.
        contexts: matrices in a contextual game.
    """

    name: str
    actions: Sequence[str]
    parameters: Mapping[str, Any]
    preferences: Array | None
    nash: Array | None
    nash_unique: bool | None
    regularized_equilibrium: Array | None
    temperature: float
    reference: Array
    cyclic_share: float | None
    cyclic_triples: int | None
    description: str = ""
    players: int = 2
    contexts: int = 1


@dataclass(frozen=True, eq=False)
class RunCurves:
    """One run over time. NaN where a quantity does not exist (regularised at temperature 0).

    Attributes:
        run: its id in the run directory.
        label: how the plots name it where the algorithm alone does not say which run it is.
        algorithm: registry name.
        seed: of the run.
        step_size: NaN for methods that read none.
        temperature: of the regularised game it is judged in.
        verdict: the value of a `simulators.metrics.verdict.Verdict`.
        iterations: (T',) increasing, not necessarily every iteration.
        gap: (T',) duality gap of the current policy.
        average_gap: (T',) of the running average.
        regularized_gap: (T',) of the current policy, in the regularised game.
        kl: (T',) KL(regularised equilibrium || current policy), nats.
        policies: (T'', K), or None where they were not kept or are not one policy over actions.
        policy_iterations: (T'',) their iterations; None counts from 0.
        average_regularized_gap: (T',) of the running average, or None.
        game: index into `ReportContent.games`.
    """

    run: str
    label: str
    algorithm: str
    seed: int
    step_size: float
    temperature: float
    verdict: str
    iterations: NDArray[np.intp]
    gap: Array
    average_gap: Array
    regularized_gap: Array
    kl: Array
    policies: Array | None = None
    policy_iterations: NDArray[np.intp] | None = None
    average_regularized_gap: Array | None = None
    game: int = 0


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything the terminal table, ``report.md`` and ``report.html`` are made of.

    Attributes:
        title: of the report.
        command: the command line that reproduces it.
        settings: resolved settings; ``settings["sweep"]`` maps swept columns to their values.
        games: one or more.
        rows: of ``summary.csv``, see `simulators.dynamics.result.BatchResult.summary`, plus one
            column for each swept axis.
        curves: the runs to draw; of a huge sweep a chosen few.
        warnings: one line each.
        verdict_rule: the docstring of `simulators.metrics.verdict`.
        versions: package -> version.
    """

    title: str
    command: str
    settings: Mapping[str, Any]
    games: Sequence[GameFacts]
    rows: Sequence[Mapping[str, Any]]
    curves: Sequence[RunCurves]
    warnings: Sequence[str] = ()
    verdict_rule: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def swept(self) -> tuple[str, ...]:
        """The columns of the swept axes, see `swept_columns`."""
        return swept_columns(self.settings.get("sweep") or {}, self.rows)


def swept_columns(sweep: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns that the rows have for swept axes, in the axes' order.

    A game's parameter may be swept by its plain name; its column is always ``game.NAME``. Where an
    algorithm and the game both know the name, the rows have both.

    Args:
        sweep: names of the axes as the user gave them.
        rows: of the summary.
    """
    there = {key for row in rows for key in row}
    names = [name for axis in sweep for name in (axis, f"game.{axis}") if name in there]
    return tuple(dict.fromkeys(names))
