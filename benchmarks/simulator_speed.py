"""Speed and memory of the simulator's exact mode, as ratios against peers in the same run.

    python benchmarks/simulator_speed.py [--quick]

Prints, with one BLAS thread:

* INPO on rock-paper-scissors, a batch of 16,384 runs, in game-steps per second, against a plain
  numpy loop over one game (the code a paper's notebook has) and against OpenSpiel's MMD iterations
  per second (where the extra `peers` is installed);
* INPO on one shared matrix of 1,000 actions, as a share of the measured matrix-product rate;
* peak memory against batch size, actions and iterations: linear in batch x actions, independent
  of the iterations beyond the (iterations x batch) metric series.

Every figure is the best of several repeats, interleaved with its peer's, since machines are shared.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from mnpo.algorithms import get_algorithm
from simulators.dynamics import loop
from simulators.dynamics.exact import ExactMinimiser
from simulators.dynamics.oracles import SharedMatrix
from simulators.dynamics.problem import Problem
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.games import make_game

RPS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
ALPHA, TAU = 0.5, 0.1


def best_of(repeats: int, *measures: Callable[[], float]) -> list[float]:
    """The best rate of each measure, the measures taken in turn."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [max(column) for column in zip(*rounds, strict=True)]


def engine_rate(preferences: np.ndarray, batch: int, iterations: int) -> float:
    """Game-steps per second of the batched engine."""
    size = len(preferences)
    start = np.random.default_rng(0).normal(size=(size, batch))
    reference = np.full((size, 1), -np.log(size))
    problem = Problem((SharedMatrix(preferences),), reference, start, batch)
    algorithm = get_algorithm("inpo", step_size=ALPHA, temperature=TAU)
    begun = time.perf_counter()
    loop.run(algorithm, problem, ExactMinimiser(problem), iterations=iterations)
    return batch * iterations / (time.perf_counter() - begun)


def notebook_rate(preferences: np.ndarray, iterations: int) -> float:
    """Steps per second of a plain loop over one game."""
    log_policy = np.log(np.array([0.6, 0.3, 0.1]))
    log_reference = log_policy.copy()
    policy = np.exp(log_policy)
    w = ALPHA * TAU
    begun = time.perf_counter()
    for _ in range(iterations):
        log_policy = (1 - w) * log_policy + w * log_reference + ALPHA * (preferences @ policy)
        log_policy -= log_policy.max()
        policy = np.exp(log_policy)
        policy /= policy.sum()
    return iterations / (time.perf_counter() - begun)


def open_spiel_rate(iterations: int) -> float | None:
    """MMD iterations per second of OpenSpiel on rock-paper-scissors; None if not installed."""
    try:
        import pyspiel
        from open_spiel.python.algorithms import mmd_dilated
    except ImportError:
        return None
    game = pyspiel.create_matrix_game((2 * RPS - 1).tolist(), (1 - 2 * RPS).tolist())
    solver = mmd_dilated.MMDDilatedEnt(pyspiel.convert_to_turn_based(game), alpha=TAU)
    begun = time.perf_counter()
    for _ in range(iterations):
        solver.update_sequences()
    return iterations / (time.perf_counter() - begun)


def gemm_rate(preferences: np.ndarray, batch: int, repeats: int) -> float:
    """Floating-point operations per second of the bare matrix product."""
    policies = np.random.default_rng(1).uniform(size=(len(preferences), batch))
    begun = time.perf_counter()
    for _ in range(repeats):
        preferences @ policies
    return repeats * 2 * preferences.size * batch / (time.perf_counter() - begun)


def peak_megabytes(actions: int, batch: int, iterations: int) -> float:
    """Peak allocation of a batch without trajectories, its game included."""
    game = make_game("random-skew", actions=actions, seed=1)
    settings = Settings(
        "inpo", step_size=np.linspace(0.1, 1, batch), seeds=(0,), iterations=iterations
    )
    tracemalloc.start()
    simulate_batch(game, settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def small_games(repeats: int, scale: int) -> None:
    """K = 3, many runs at once."""
    engine, notebook = best_of(
        repeats,
        lambda: engine_rate(RPS, 16_384, 100 // scale),
        lambda: notebook_rate(RPS, 20_000 // scale),
    )
    print("INPO, rock-paper-scissors, batch 16,384")
    print(f"  batched engine        {engine:10.3g} game-steps/s")
    print(f"  plain loop, one game  {notebook:10.3g} steps/s       ratio {engine / notebook:8.0f}")
    spiel = open_spiel_rate(500 // scale)
    if spiel is None:
        print("  OpenSpiel MMD         not installed (extra `peers`)")
        return
    spiel = max(spiel, *(open_spiel_rate(500 // scale) or 0 for _ in range(repeats)))
    print(f"  OpenSpiel MMD         {spiel:10.3g} iterations/s  ratio {engine / spiel:8.0f}")


def large_game(repeats: int, scale: int) -> None:
    """K = 1,000, one shared matrix."""
    skew = np.random.default_rng(2).uniform(-0.5, 0.5, size=(1000, 1000))
    preferences = 0.5 + (skew - skew.T) / 2
    print("INPO, 1,000 actions, shared matrix")
    for batch in (32, 64, 128):
        steps, product = best_of(
            repeats,
            lambda b=batch: engine_rate(preferences, b, 40 // scale),
            lambda b=batch: gemm_rate(preferences, b, 40 // scale),
        )
        done = steps * 2 * preferences.size
        print(
            f"  batch {batch:4d}: {steps:8.3g} game-steps/s, {done / 1e9:5.1f} of "
            f"{product / 1e9:5.1f} Gflop/s: {done / product:5.0%} of the matrix product"
        )


def memory() -> None:
    """Doubling one size at a time."""
    base = (100, 512, 50)
    reference = peak_megabytes(*base)
    print(f"Peak memory, actions x batch x iterations = {base}: {reference:.1f} MB")
    for name, doubled in (("actions", (200, 512, 50)), ("batch", (100, 1024, 50))):
        print(f"  twice the {name:10s} {peak_megabytes(*doubled) / reference:5.2f} x")
    print(f"  ten times the iterations {peak_megabytes(100, 512, 500) / reference:5.2f} x")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    scale = 10 if parser.parse_args().quick else 1
    repeats = 3 if scale > 1 else 7
    small_games(repeats, scale)
    large_game(repeats, scale)
    memory()


if __name__ == "__main__":
    main()
