"""The warning that quotes an algorithm's stability bound, against theory and against the runs."""

import math
import re

import numpy as np
import pytest

from simulators import make_game, simulate
from simulators.study.config import parse_config
from simulators.study.plan import make_plan

TAU = 0.1
OMEGA = 0.5 / math.sqrt(3)  # rock-paper-scissors at the uniform policy


def warning(
    name: str, step_size: float, temperature: float = TAU, game: str = "cyclic", **more: object
) -> str | None:
    """What a study warns of besides its start, None if nothing."""
    values = {"game": game, "algorithms": [name], "iterations": 1, "reference": "uniform"}
    settings = {"step_size": step_size, "temperature": temperature}
    lines = make_plan(parse_config(values | settings | more)).warnings
    assert len(lines) <= 1
    return lines[0] if lines else None


@pytest.mark.parametrize("temperature", [0.02, 0.1, 0.3])
def test_inpo_is_warned_of_exactly_beyond_its_bound(temperature: float) -> None:
    bound = 2 * temperature / (OMEGA**2 + temperature**2)
    assert warning("inpo", bound * 0.999, temperature) is None
    line = warning("inpo", bound * 1.001, temperature)
    assert line is not None
    assert f"the bound is {bound:.4g} = 2 tau / (omega^2 + tau^2), omega = {OMEGA:.4g}" in line
    assert "\n" not in line


@pytest.mark.filterwarnings("ignore::simulators.dynamics.advice.StabilityWarning")
@pytest.mark.parametrize("name", ["inpo", "mnpo", "egpo", "mmd"])
def test_the_bound_that_is_quoted_parts_stable_from_unstable(name: str) -> None:
    line = warning(name, 50.0)
    assert line is not None
    found = re.search(r"the bound is ([0-9.e+-]+)", line)
    assert found, line
    bound = float(found[1])
    assert warning(name, 0.99 * bound) is None
    assert warning(name, 1.01 * bound) is not None
    distances = {}
    for factor in (0.9, 1.1):
        result = simulate(
            make_game("cyclic"),
            name,
            step_size=factor * bound,
            temperature=TAU,
            initial=[0.34, 0.33, 0.33],
            iterations=400,
        )
        distances[factor] = float(np.abs(result.last - 1 / 3).max())
    assert distances[0.9] < 0.0067 < distances[1.1]


@pytest.mark.parametrize("name", ["mwu", "sppo", "onpo", "dpo", "ipo"])
def test_methods_without_a_bound_are_not_warned_of(name: str) -> None:
    assert warning(name, 50.0) is None


def test_a_transitive_game_does_not_rotate() -> None:
    assert warning("inpo", 5.0, game="bradley-terry") is None


def test_games_whose_spectrum_is_not_looked_at() -> None:
    for game in ("contextual", "plackett-luce"):
        assert warning("inpo", 50.0, game=game) is None
    assert warning("inpo", 50.0, temperature=0.0) is None


def test_a_sweep_is_warned_of_once_with_its_largest_step() -> None:
    line = warning("inpo", 0.5, sweep={"step_size": [0.1, 3, 4], "temperature": [0.1, 0.2]})
    assert line is not None
    assert "step_size 4 " in line
    assert "at temperature 0.1" in line
    assert warning("inpo", 50.0, sweep={"step_size": [0.1, 0.2]}) is None
