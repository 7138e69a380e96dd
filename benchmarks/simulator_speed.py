"""Speed and memory of the simulator's exact mode, as ratios against peers in the same run.

    python benchmarks/simulator_speed.py [--quick]

Prints, with one BLAS thread:

* INPO on rock-paper-scissors, a batch of 16,384 runs, in game-steps per second, against a plain
  numpy loop over one game (the code a paper's notebook has) and against OpenSpiel's MMD iterations
  per second (where the extra `peers` is installed);
* INPO on one shared matrix of 1,000 actions, as a share of the measured matrix-product rate;
* both also with every metric recorded at every iteration, which is what `simulate_batch` does;
* peak memory against batch size, actions and iterations: linear in batch x actions, independent
  of the iterations beyond the (iterations x batch) metric series.

Every rate is the median of several repeats, the measures taken in turn, since machines are shared.
What was measured where stands in README.md beside this file.
"""

import argparse
import os
import sys
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
from simulators.games import Game, make_game

RPS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
ALPHA, TAU = 0.5, 0.1
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def medians(repeats: int, *measures: Callable[[], float]) -> list[float]:
    """The median rate of each measure, the measures taken in turn after one unmeasured round."""
    rounds = [[measure() for measure in measures] for _ in range(repeats + 1)][1:]
    return [float(np.median(column)) for column in zip(*rounds, strict=True)]


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


def recorded_rate(game: Game, batch: int, iterations: int) -> float:
    """The same with every metric at every iteration; what a run costs once is left out."""

    def seconds(steps: int) -> float:
        settings = Settings(
            "inpo", step_size=np.linspace(0.1, 0.9, batch), temperature=TAU, iterations=steps
        )
        begun = time.perf_counter()
        simulate_batch(game, settings)
        return time.perf_counter() - begun

    return batch * iterations / max(seconds(iterations) - seconds(0), 1e-9)


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


def open_spiel_rate(iterations: int) -> float:
    """MMD iterations per second of OpenSpiel on rock-paper-scissors; NaN if not installed."""
    try:
        import pyspiel
        from open_spiel.python.algorithms import mmd_dilated
    except ImportError:
        return float("nan")
    game = pyspiel.create_matrix_game((RPS - 0.5).tolist(), (0.5 - RPS).tolist())
    solver = mmd_dilated.MMDDilatedEnt(pyspiel.convert_to_turn_based(game), TAU, ALPHA)
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


def peak_bytes(actions: int, batch: int, iterations: int) -> tuple[int, int]:
    """Peak allocation of a batch without trajectories, and how much of it is metric series."""
    game = make_game("random-skew", actions=actions, seed=1)
    settings = Settings("inpo", step_size=np.linspace(0.1, 1, batch), iterations=iterations)
    tracemalloc.start()
    result = simulate_batch(game, settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    series = [
        values.nbytes
        for values in vars(result.recorder).values()
        if isinstance(values, np.ndarray) and values.shape == (iterations + 1, batch)
    ]
    return peak, sum(series)


def small_games(repeats: int, scale: int) -> None:
    """K = 3, many runs at once."""
    engine, recorded, notebook, spiel = medians(
        repeats,
        lambda: engine_rate(RPS, 16_384, 100 // scale),
        lambda: recorded_rate(make_game("cyclic"), 16_384, 60 // scale),
        lambda: notebook_rate(RPS, 20_000 // scale),
        lambda: open_spiel_rate(500 // scale),
    )
    print("INPO, rock-paper-scissors, batch 16,384: game-steps/s, and their ratio to")
    print("                               a plain loop   OpenSpiel's MMD")
    print(f"  plain loop, one game {notebook:8.3g}")
    print(f"  OpenSpiel, one game  {spiel:8.3g}" + "  not installed" * bool(np.isnan(spiel)))
    for name, rate in (("batched engine", engine), ("with all metrics", recorded)):
        print(f"  {name:20s} {rate:8.3g}  {rate / notebook:10.0f} x  {rate / spiel:13.0f} x")


def large_game(repeats: int, scale: int) -> None:
    """K = 1,000, one shared matrix."""
    game = make_game("random-skew", actions=1000, seed=2)
    print("INPO, 1,000 actions, shared matrix: Gflop/s, and share of the bare matrix product")
    for batch in (32, 64, 128):
        engine, recorded, product = medians(
            repeats,
            lambda b=batch: engine_rate(game.preferences, b, 40 // scale),
            lambda b=batch: recorded_rate(game, b, 40 // scale),
            lambda b=batch: gemm_rate(game.preferences, b, 40 // scale),
        )
        flops = 2e-9 * game.preferences.size
        print(
            f"  batch {batch:4d}: engine {engine * flops:5.1f} "
            f"({engine * flops * 1e9 / product:4.0%}), with all metrics {recorded * flops:5.1f} "
            f"({recorded * flops * 1e9 / product:4.0%}), bare product {product / 1e9:5.1f}"
        )


def memory() -> None:
    """One size changed at a time."""
    base = (100, 512, 50)
    peak, series = peak_bytes(*base)
    print(f"Peak memory, actions x batch x iterations = {base}: {peak / 1e6:.1f} MB,")
    print(f"  of which {series / 1e6:.1f} MB metric series (iterations x batch); without them")
    for name, sizes in (
        ("twice the actions", (200, 512, 50)),
        ("twice the batch", (100, 1024, 50)),
        ("ten times the iterations", (100, 512, 500)),
    ):
        changed, changed_series = peak_bytes(*sizes)
        print(f"  {name:24s} {(changed - changed_series) / (peak - series):5.2f} x")


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
    if not ONE_THREAD.items() <= os.environ.items():
        # Libraries read these when they are loaded: begin again with them set.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
