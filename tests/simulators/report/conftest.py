"""Invented reports: no algorithm is run here."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from simulators.metrics import verdict
from simulators.metrics.verdict import Verdict
from simulators.report import GameFacts, ReportContent, RunCurves

ContentFactory = Callable[..., ReportContent]

VERDICTS = {
    "inpo": Verdict.CONVERGES,
    "mwu": Verdict.CYCLES,
    "nash-md": Verdict.SETTLES,
    "dpo": Verdict.DIVERGES,
    "sppo": Verdict.AVERAGE,
}
#: Invented too: K actions on a circle, each beating those up to half a turn ahead.
RING = {size: 0.5 + 0.4 * np.sin(
    2 * np.pi * (np.arange(size)[None, :] - np.arange(size)[:, None]) / size
) for size in (2, 3, 4, 10)}  # fmt: skip


def game_facts(size: int = 3, *, contextual: bool = False, labels: Sequence[str] = ()) -> GameFacts:
    names = list(labels) or [f"action {i}" for i in range(size)]
    uniform = np.full(size, 1 / size)
    return GameFacts(
        name="contextual" if contextual else "ring",
        actions=names,
        parameters={"strength": 0.4},
        preferences=None if contextual else RING[size],
        nash=None if contextual else uniform,
        nash_unique=None if contextual else size % 2 == 1,
        regularized_equilibrium=None if contextual else uniform,
        temperature=0.1,
        reference=uniform,
        cyclic_share=0.75,
        cyclic_triples=None if contextual else 8,
        description="A ring.",
        contexts=16 if contextual else 1,
    )


def row(algorithm: str, seed: int = 0, **changes: Any) -> dict[str, Any]:
    reads_step = algorithm != "dpo"
    return {
        "game": "ring",
        "algorithm": algorithm,
        "mode": "exact",
        "seed": seed,
        "step_size": 0.5 if reads_step else math.nan,
        "temperature": 0.1,
        "iterations": 200,
        "gap_last": 0.0312,
        "gap_average": 1.23e-7,
        "regularized_gap_last": 2e-3,
        "kl_to_regularized_equilibrium": 0.0,
        "external_regret": 12.3,
        "swap_regret": math.nan,
        "fitted_multiplier": 0.97 if algorithm == "inpo" else math.nan,
        "predicted_multiplier": math.nan,
        "multiplayer_gap_last": 0.0156,
        "worst_annotator_win_rate": math.nan,
        "nash_welfare": math.nan,
        "verdict": str(VERDICTS.get(algorithm, Verdict.UNDECIDED)),
        "note": "",
        "oracle_rounds": 200,
        "preference_queries": 0,
        "gradient_steps": 0,
    } | changes


def curves(algorithm: str, size: int | None = 3, length: int = 201, **changes: Any) -> RunCurves:
    """A spiral towards the centre, with gaps that fall like 1/t."""
    t = np.arange(length)
    decay = 1 / np.maximum(t, 1)
    policies = None
    if size is not None:
        angles = 0.2 * t[:, None] - 2 * np.pi * np.arange(size) / size
        policies = 1 / size + 0.9 / size * np.cos(angles) * np.sqrt(decay)[:, None]
        policies /= policies.sum(axis=1, keepdims=True)
    values: dict[str, Any] = {
        "run": f"{algorithm}-0",
        "label": algorithm,
        "algorithm": algorithm,
        "seed": 0,
        "step_size": 0.5,
        "temperature": 0.1,
        "verdict": str(VERDICTS.get(algorithm, Verdict.UNDECIDED)),
        "iterations": t,
        "gap": decay,
        "average_gap": decay,
        "regularized_gap": decay**2,
        "kl": decay**3,
        "policies": policies,
        "policy_iterations": None if policies is None else t,
    }
    return RunCurves(**(values | changes))


@pytest.fixture(scope="session")
def make_content() -> ContentFactory:
    """A report with one row and one run an algorithm; keyword arguments replace fields."""

    def make(
        algorithms: Sequence[str] = ("inpo", "mwu", "dpo"),
        size: int = 3,
        *,
        contextual: bool = False,
        labels: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> ReportContent:
        kept = None if contextual else size
        fields: dict[str, Any] = {
            "title": "ring: a comparison",
            "command": "mnpo-bench simulate --game ring",
            "settings": {"iterations": 200, "sweep": {}} | dict(settings or {}),
            "games": [game_facts(size, contextual=contextual, labels=labels)],
            "rows": [row(name) for name in algorithms],
            "curves": [curves(name, kept) for name in algorithms],
            "warnings": [],
            "verdict_rule": verdict.__doc__,
            "versions": {"numpy": "2.4.6"},
        }
        return ReportContent(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def make_row() -> Callable[..., dict[str, Any]]:
    return row


@pytest.fixture(scope="session")
def make_curves() -> Callable[..., RunCurves]:
    return curves


@pytest.fixture(scope="session")
def make_game_facts() -> Callable[..., GameFacts]:
    return game_facts
