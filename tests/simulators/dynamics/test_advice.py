"""A step size beyond the stability bound is announced, with the bound."""

import re
import warnings
from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import get_algorithm
from simulators.dynamics.advice import StabilityWarning, stability_warning
from simulators.dynamics.simulation import simulate
from simulators.equilibria import regularized_equilibrium
from simulators.games import make_game

REF = [0.6, 0.3, 0.1]


def lines(name: str, game: str = "cyclic", **settings: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        simulate(make_game(game), name, **{"iterations": 1, "reference": REF} | settings)
    return [str(w.message) for w in caught if issubclass(w.category, StabilityWarning)]


def test_inpos_bound_is_quoted_with_its_formula() -> None:
    (line,) = lines("inpo", step_size=3.0)
    assert line == (
        "inpo: step_size 3 is beyond the local stability bound on game 'cyclic' at temperature "
        "0.1: the bound is 2.302 = 2 tau / (omega^2 + tau^2), omega = 0.2772; expect it to "
        "cycle or diverge"
    )
    omega, tau = 0.27724934, 0.1
    assert 2 * tau / (omega**2 + tau**2) == pytest.approx(2.302, abs=5e-4)
    assert not lines("inpo", step_size=2.3)


@pytest.mark.parametrize("eta", [1 / 3.0])
def test_a_papers_own_parameter_is_seen(eta: float) -> None:
    (line,) = lines("inpo", eta=eta)
    assert line.startswith("inpo: step_size 3 is beyond")
    assert not lines("inpo", eta=1.0)


def test_other_methods_have_bounds_of_their_own() -> None:
    (line,) = lines("mmd", step_size=10.0)
    assert re.search(r"the bound is \d+\.\d+, omega = 0\.2772", line)
    assert not lines("mmd", step_size=2.5)
    assert not lines("mnpo", reference_weight=0.0)  # aims at no regularised equilibrium
    assert not lines("nash-md", step_size=15.0)  # rests elsewhere


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mwu", {"step_size": 50.0}),  # not meant to converge in the last iterate
        ("onpo", {"step_size": 50.0}),
        ("ipo-online", {}),  # has no step size
        ("nash-ema", {"step_size": 50.0}),  # beyond the theory
        ("inpo", {"step_size": 50.0, "temperature": 0.0}),
    ],
)
def test_no_advice_without_a_bound(name: str, settings: dict[str, Any]) -> None:
    assert not lines(name, **settings)


def test_advice_for_one_setting_of_a_batch() -> None:
    game = make_game("cyclic")
    equilibrium = regularized_equilibrium(game.preferences, 0.1, REF)
    batched = get_algorithm("inpo", step_size=np.array([0.5, 3.0]), temperature=0.1)
    assert stability_warning(batched, game, equilibrium, 0.5, 0.1) is None
    line = stability_warning(batched, game, equilibrium, 3.0, 0.1)
    assert line is not None
    assert "step_size 3 is beyond" in line
