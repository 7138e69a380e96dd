"""One cell of a suite: an algorithm on a family of games in a regime, tuned, then reported."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from mnpo.algorithms import find_entry, get_algorithm
from mnpo.errors import UserError
from mnpo.runs import digest
from simulators.suite.draws import DrawnGame, draw_game
from simulators.suite.play import Method, Outcome, play, query_seed, rounds_of_an_iteration
from simulators.suite.settings import Family, Regime, SuiteSettings
from simulators.suite.source import source_digest

#: What is reported; each at the step size that is best for it on the tuning games.
METRICS = ("gap_last", "gap_average", "regularized_gap_last")


@dataclass(frozen=True)
class Cell:
    """What one cell depends on; plain values, so that it can travel.

    Attributes:
        regime, family: their names and settings.
        method: the algorithm.
        step_sizes: that are tried, ascending; a single one where the method reads none.
        tie: means that differ by less tie.
        tuning, held_out: seeds of the games.
        floor: of the reference policies.
    """

    regime_name: str
    regime: Regime
    family_name: str
    family: Family
    method: Method
    step_sizes: tuple[float, ...]
    tie: float
    tuning: range
    held_out: range
    floor: float

    @property
    def key(self) -> str:
        """Content address: a hash of everything that goes in, the code included."""
        values = {
            "regime": self.regime.model_dump(mode="json"),
            "family": [self.family_name, self.family.model_dump(mode="json")],
            "method": asdict(self.method),
            "step_sizes": self.step_sizes,
            "tie": self.tie,
            "seeds": [self.tuning.start, self.held_out.start],
            "floor": self.floor,
        }
        return digest({"cell": values, "source": source_digest()})[:32]

    def games(self, seeds: Sequence[int]) -> list[DrawnGame]:
        """The games of some seeds."""
        return [draw_game(self.family_name, self.family, seed, self.floor) for seed in seeds]


@dataclass(frozen=True)
class CellResult:
    """What came of a cell.

    Attributes:
        reason: why the algorithm cannot run on the family; "" where it can.
        tuning: a row for each step size: its metrics' means over the tuning games.
        chosen: metric -> step size.
        games: a row for each held-out game.
    """

    reason: str = ""
    tuning: list[dict[str, Any]] = field(default_factory=list)
    chosen: Mapping[str, float] = field(default_factory=dict)
    games: list[dict[str, Any]] = field(default_factory=list)


def cells_of(settings: SuiteSettings) -> list[Cell]:
    """All cells of a suite, in the order of its settings."""
    return [
        Cell(
            regime_name=regime_name,
            regime=regime,
            family_name=family_name,
            family=family,
            method=_method(settings, algorithm),
            step_sizes=_step_sizes(settings, algorithm),
            tie=settings.tie,
            tuning=settings.tuning_seeds(regime),
            held_out=settings.held_out_seeds(regime),
            floor=settings.reference.floor,
        )
        for regime_name, regime in settings.regimes.items()
        for family_name, family in settings.families.items()
        for algorithm in settings.algorithms
    ]


def run_cell(cell: Cell) -> CellResult:
    """Tune on the tuning games, report the held-out ones."""
    try:
        (first,) = cell.games(cell.tuning[:1])
        rounds = rounds_of_an_iteration(cell.method, first, cell.regime)
    except UserError as error:
        return CellResult(reason=str(error))
    iterations = cell.regime.rounds // rounds
    tried = play(cell.method, cell.games(cell.tuning), cell.step_sizes, cell.regime, iterations)
    tuning = [
        {"step_size": step, "n": len(outcomes), **_means(outcomes)}
        for step, outcomes in zip(cell.step_sizes, tried, strict=True)
    ]
    chosen = {name: choose(tuning, name, cell.tie) for name in METRICS}
    games = cell.games(cell.held_out)
    steps = sorted(set(chosen.values()))
    played = dict(zip(steps, play(cell.method, games, steps, cell.regime, iterations), strict=True))
    rows = [
        _row(cell, chosen, {step: outcomes[g] for step, outcomes in played.items()})
        | {"seed": game.seed, "query_seed": query_seed(games, g) if cell.regime.queries else None}
        for g, game in enumerate(games)
    ]
    return CellResult("", tuning, chosen, rows)


def choose(tuning: Sequence[Mapping[str, Any]], metric: str, tie: float) -> float:
    """The step size with the least mean; the smaller one of those that tie with it.

    Args:
        tuning: a row for each step size, ascending.
        metric: which column counts.
        tie: means at most so much above the least tie with it.
    """
    least = min(row[metric] for row in tuning)
    return float(next(row["step_size"] for row in tuning if row[metric] <= least + tie))


def tunes(algorithm: str, settings: SuiteSettings) -> bool:
    """Whether the method has a step size."""
    return "step_size" in find_entry(algorithm).kind.reads or algorithm in settings.inverse_steps


def judged_metric(method: Method) -> str:
    """The metric of the game that the method plays; its run is the one with a verdict."""
    target = get_algorithm(method.algorithm, **method.parameters).target
    return "regularized_gap_last" if target == "regularized" else "gap_last"


def _method(settings: SuiteSettings, algorithm: str) -> Method:
    return Method(
        algorithm=algorithm,
        parameters=settings.parameters.get(algorithm, {}),
        temperature=settings.temperature,
        inverse_step=algorithm in settings.inverse_steps,
    )


def _step_sizes(settings: SuiteSettings, algorithm: str) -> tuple[float, ...]:
    return settings.step_sizes.values() if tunes(algorithm, settings) else (1.0,)


def _means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    return {name: float(np.mean([getattr(o, name) for o in outcomes])) for name in METRICS}


def _row(
    cell: Cell, chosen: Mapping[str, float], outcomes: Mapping[float, Outcome]
) -> dict[str, Any]:
    """One held-out game: each metric from the run with the step size that was chosen for it."""
    last, average, regularized = (outcomes[chosen[name]] for name in METRICS)
    judged = outcomes[chosen[judged_metric(cell.method)]]
    return {
        "gap_last": last.gap_last,
        "gap_average": average.gap_average,
        "external_regret": average.external_regret,
        "regularized_gap_last": regularized.regularized_gap_last,
        "verdict": judged.verdict,
        "iterations": judged.iterations,
        "rounds": judged.rounds,
        "queries": judged.queries,
        "note": judged.note,
    }
