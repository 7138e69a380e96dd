"""A pool's scores and its page."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.compared import comparisons_of
from evaluation.pool.measuring import Measured
from evaluation.pool.standings import PoolStandings, Standing
from evaluation.pool.tables import cell, grid, rate, win_grid
from evaluation.scores import Comparison, ModelScore
from evaluation.statistics import Interval, compare_all
from evaluation.winmatrix import WinMatrix

#: What the benchmark's tables call the win rate against the common mixture of opponents.
MIXTURE = "win_rate/mixture"


def model_scores(
    measured: Measured,
    pool: PoolStandings,
    shares: Mapping[str, float],
    flags: Mapping[str, tuple[str, ...]],
) -> tuple[ModelScore, ...]:
    """All figures in percent; the headline is the mean win rate against every other model.

    Args:
        measured: complete.
        pool: its standings.
        shares: of the common mixture of opponents.
        flags: warnings, by model.
    """
    found = []
    wins = measured.wins
    for row, (name, standing) in enumerate(zip(wins.names, pool.standings, strict=True)):
        whole = int((~np.isnan(wins.wins[:, row, :])).all(axis=1).sum())
        metrics = {"win_rate": standing.against_pool or _mean_of_pairs(wins, name)}
        if whole:
            metrics[MIXTURE] = wins.against_mixture(name, shares)
        metrics |= {
            "win_rate/worst_opponent": standing.against_worst,
            "win_rate/nash_average": standing.nash_win_rate,
            "exploitability": standing.exploitability,
            "nash_average": standing.nash,
            **{
                f"win_rate/against/{other}": wins.pair(name, other)
                for other in wins.names
                if other != name
            },
        }
        found.append(
            ModelScore(
                model=name,
                headline="win_rate",
                metrics={metric: own.times(100.0) for metric, own in metrics.items()},
                n=whole,
                missing=len(wins.wins) - whole,
                flags=flags.get(name, ()),
                details={
                    "worst_opponent": standing.worst_opponent,
                    "unanswered": len(measured.unanswered[name]),
                    "unjudged": sum(name in own[1:3] for own in measured.unjudged),
                },
            )
        )
    return tuple(found)


def comparisons(wins: WinMatrix, shares: Mapping[str, float]) -> tuple[Comparison, ...]:
    """Differences of the win rates against the common mixture, on the same questions."""
    weights = wins.mixture(shares)
    used = weights > 0
    rates = 100 * np.einsum("qij,j->iq", wins.wins[:, :, used], weights[used])
    compared = compare_all(wins.names, rates.clip(0, 100), bounds=(0.0, 100.0))
    return comparisons_of(MIXTURE, compared)


def markdown(
    wins: WinMatrix, pool: PoolStandings, shares: Mapping[str, float], notes: Sequence[str]
) -> str:
    """The page ``crossplay.md``."""
    header = [
        *("model", "vs pool", "vs mixture", "worst opponent"),
        *("exploitability", "Nash average", "vs Nash average"),
    ]
    rows = [
        [name, *_cells(wins, name, standing, shares)]
        for name, standing in zip(wins.names, pool.standings, strict=True)
    ]
    lines = ["# Cross-play", ""]
    lines += [f"- {cell(note)}" for note in notes]
    lines += ["", *grid(header, rows)]
    lines += ["", "Win rate of the row against the column, 95 % interval over questions:", ""]
    lines += win_grid(wins)
    return "\n".join(lines) + "\n"


def _cells(
    wins: WinMatrix, name: str, standing: Standing, shares: Mapping[str, float]
) -> list[str]:
    mixture = wins.against_mixture(name, shares) if wins.shares_prompts(name) else None
    return [
        rate(standing.against_pool),
        rate(mixture),
        f"{rate(standing.against_worst)} {standing.worst_opponent}",
        rate(standing.exploitability),
        rate(standing.nash),
        rate(standing.nash_win_rate),
    ]


def _mean_of_pairs(wins: WinMatrix, name: str) -> Interval:
    """Where no question has all opponents: the mean of the pairs' win rates, no interval."""
    row = wins.names.index(name)
    rates = np.delete(wins.mean[row], row)
    n = int((~np.isnan(wins.wins[:, row, :])).any(axis=1).sum())
    return Interval(float(rates.mean()), None, None, n, n)
