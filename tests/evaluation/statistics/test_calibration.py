"""The shipped simulation, shortened: it runs, and still finds what the documentation says."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def simulated(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def run(part: str, number: int, replicates: int):
        import importlib

        case = list(importlib.import_module(f"calibration_cases.{part}").cases())[number]
        run_case = importlib.import_module("calibration_cases.case").run_case
        return run_case(case, replicates, seed=7)

    return run


@pytest.mark.parametrize(
    ("part", "number", "usual_at_most"),
    [("arena_hard", 2, 0.8), ("mt_bench", 1, 0.92), ("small", 0, 0.91), ("small", 6, 0.955)],
    ids=["arena-hard-40", "mt-bench-20", "twenty-prompts", "three-percent"],
)
def test_ours_cover_where_the_usual_ones_do_not(simulated, part, number, usual_at_most):
    found = simulated(part, number, 400)
    # Two Monte-Carlo errors of 400 runs are 2.2 points.
    assert 0.93 - 0.01 <= found["ours"].coverage <= 0.97 + 0.01
    assert found["usual"].coverage <= usual_at_most


def test_the_same_seed_gives_the_same_table(simulated):
    one, two = (simulated("mt_bench", 0, 30)["ours"] for _ in range(2))
    assert one == two
