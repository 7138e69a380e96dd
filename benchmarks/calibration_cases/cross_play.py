"""Cross-play: what a pool's game says, whose estimates are no means."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import ndtri

from calibration_cases.case import OURS, USUAL, Case, Ends, ends
from evaluation.pool.intervals import (
    PoolIntervals,
    drawn_matrices,
    pool_intervals,
    squared_norms,
)
from evaluation.pool.nash import nash_averages
from evaluation.statistics import Interval
from evaluation.winmatrix import WinMatrix

DRAWS = 300
USUAL_RULE = "percentiles of the bootstrap"


def ladder(*ratings: float, cycle: float = 0.0) -> np.ndarray:
    """Differences of ratings, and a cycle of the first three policies."""
    truth = 0.5 + np.subtract.outer(np.array(ratings), np.array(ratings))
    for i, j in ((0, 1), (1, 2), (2, 0)):
        truth[i, j] += cycle
        truth[j, i] -= cycle
    return truth


def simulate(random: np.random.Generator, truth: np.ndarray, prompts: int) -> WinMatrix:
    """Won or lost on every prompt; a policy that is good on a prompt is so against everybody."""
    size = len(truth)
    wins = np.full((prompts, size, size), 0.5)
    good = random.normal(size=(prompts, size))
    for i in range(size):
        for j in range(i + 1, size):
            luck = 0.8 * (good[:, j] - good[:, i]) / np.sqrt(2) + 0.6 * random.normal(size=prompts)
            wins[:, i, j] = luck < ndtri(truth[i, j])
            wins[:, j, i] = 1 - wins[:, i, j]
    return WinMatrix(tuple(f"policy {i}" for i in range(size)), wins)


def cases() -> Iterator[Case]:
    clear = ladder(0.0, 0.2, 0.05, -0.1)
    tied = ladder(-0.08, 0.02, 0.02, 0.02, 0.02)
    for truth, label in ((clear, "one worst opponent"), (tied, "four equal worst opponents")):
        yield _case(f"exploitability, {label}", truth, 100, _first_exploitability, _exploitability)
    for amount, label in ((0.0, "no cycle"), (0.06, "a weak cycle"), (0.2, "a strong cycle")):
        truth = ladder(0.06, 0.06, 0.0, -0.08, cycle=amount)
        name = f"cyclic share, {label} ({_cyclic_share(truth[None])[0]:.2f})"
        yield _case(name, truth, 200, lambda found: found.cyclic_share, _cyclic_share)
    truth = ladder(0.0, 0.0, 0.0, -0.15, cycle=0.15)
    yield _case("Nash average of a cycle", truth, 200, lambda found: found.nash[0], _nash)
    yield _case(
        "win rate against the Nash average",
        truth,
        200,
        lambda found: found.nash_win_rate[3],
        lambda matrices: np.einsum("rj,rj->r", matrices[:, 3], nash_averages(matrices)),
    )


def _first_exploitability(found: PoolIntervals) -> Interval:
    return found.exploitability[0]


def _exploitability(matrices: np.ndarray) -> np.ndarray:
    return np.asarray(matrices[:, :, 0].max(axis=1) - 0.5)


def _cyclic_share(matrices: np.ndarray) -> np.ndarray:
    cyclic, whole = squared_norms(matrices - 0.5)
    return np.asarray(cyclic / whole)


def _nash(matrices: np.ndarray) -> np.ndarray:
    return np.asarray(nash_averages(matrices)[:, 0])


def _case(
    name: str,
    truth: np.ndarray,
    prompts: int,
    pick: Callable[[PoolIntervals], Interval],
    value: Callable[[np.ndarray], np.ndarray],
) -> Case:
    def draw(random: np.random.Generator) -> dict[str, Ends]:
        wins = simulate(random, truth, prompts)
        seed = int(random.integers(2**31))
        ours = pick(pool_intervals(wins, seed=seed, replicates=DRAWS))
        drawn = value(drawn_matrices(wins.wins, seed, DRAWS))
        low, high = np.quantile(drawn, [0.025, 0.975])
        return {OURS: ends(ours), USUAL: (float(low), float(high))}

    return Case(
        f"pool of {len(truth)}, {prompts} prompts: {name}",
        USUAL_RULE,
        float(value(truth[None])[0]),
        draw,
        share=0.1,
    )
