"""A suite small enough to run in a second."""

from typing import Any

import pytest

from simulators.suite.run import SuiteResult, run_suite
from simulators.suite.settings import SuiteSettings, load_suite, read_suite


@pytest.fixture
def standard() -> SuiteSettings:
    return load_suite("standard")


@pytest.fixture
def values() -> dict[str, Any]:
    """Keys and values of a tiny suite."""
    return tiny_values()


@pytest.fixture
def tiny() -> SuiteSettings:
    return read_suite(tiny_values())


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> SuiteResult:
    """The tiny suite, run; to be looked at only."""
    return run_suite(read_suite(tiny_values()), tmp_path_factory.mktemp("suite") / "run")


def tiny_values() -> dict[str, Any]:
    return {
        "suite": "tiny",
        "version": "1",
        "temperature": 0.1,
        "step_sizes": {"low": 0.25, "high": 4.0, "count": 3},
        "tie": 1e-9,
        "seeds": {"held_out": 0, "tuning": 100},
        "reference": {"floor": 0.2},
        "regimes": {
            "exact": {"mode": "exact", "rounds": 24, "tuning": 2, "held_out": 3},
            "noisy": {
                "mode": "sampled",
                "queries": 20,
                "rounds": 12,
                "tuning": 2,
                "held_out": 3,
            },
        },
        "algorithms": ["inpo", "egpo", "ht-mnpo", "ipo"],
        "families": {
            "cyclic": {"game": "cyclic", "parameters": {"strength": {"uniform": [0.4, 1.0]}}},
            "condorcet": {
                "game": "condorcet",
                "parameters": {"weights": {"simplex": 3, "floor": 0.5}},
            },
            "tie": {"game": "tie", "in_mean": False},
        },
    }
