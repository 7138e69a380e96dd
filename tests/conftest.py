"""Fixtures and hypothesis strategies shared by the whole suite."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

settings.register_profile(
    "suite",
    deadline=None,  # shared machines: a slow example is not a failing one
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=50,
)
settings.load_profile("suite")

SHARED = Path(
    os.environ.get("MNPO_BENCH_SHARED", Path(__file__).resolve().parent.parent.parent / "shared")
)
WHY_NO_SHARED = (
    "needs the reference data of the project's maintainers (a folder `shared` beside the "
    "checkout, or MNPO_BENCH_SHARED), which is not part of the repository"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs the reference data where it is absent."""
    if (SHARED / "golden.json").is_file():
        return
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(pytest.mark.skip(reason=WHY_NO_SHARED))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the reference data; use with ``pytest.mark.shared_data``."""
    return SHARED


def golden_cases(kind: str | None = None) -> list[dict[str, Any]]:
    """The checked cases of one kind, [] where the reference data is absent."""
    path = SHARED / "golden.json"
    if not path.is_file():
        return []
    cases = json.loads(path.read_text())["cases"]
    return [case for case in cases if kind is None or case["kind"] == kind]


def golden_params(kind: str) -> list[Any]:
    """Golden cases as pytest parameters, marked; one skipped parameter without the data."""
    cases = golden_cases(kind)
    if not cases:
        return [pytest.param(None, marks=pytest.mark.shared_data, id=f"no-{kind}")]
    return [pytest.param(case, marks=pytest.mark.shared_data, id=case["id"]) for case in cases]


@st.composite
def preference_matrices(
    draw: st.DrawFn, min_actions: int = 2, max_actions: int = 6, margin: float = 0.0
) -> np.ndarray:
    """Any valid preference matrix: entries in [margin, 1 - margin], P + P.T == 1."""
    size = draw(st.integers(min_actions, max_actions))
    matrix = np.full((size, size), 0.5)
    for i in range(size):
        for j in range(i + 1, size):
            matrix[i, j] = draw(st.floats(margin, 1 - margin, allow_nan=False))
            matrix[j, i] = 1 - matrix[i, j]
    return matrix


@st.composite
def policies(draw: st.DrawFn, size: int, floor: float = 0.01) -> np.ndarray:
    """Any distribution over ``size`` actions, every probability above about ``floor``/size."""
    weights = np.array([draw(st.floats(floor, 1.0)) for _ in range(size)])
    return weights / weights.sum()
