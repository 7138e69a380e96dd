"""Each paper's own parameters, against the translation table written out by hand."""

import re
from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import get_algorithm, list_algorithms
from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS
from mnpo.errors import InvalidSetting

# (algorithm, the paper's words, what they mean here)
TABLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("mnpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("mnpo", {"tau": 0.4}, {"temperature": 0.4}),
    ("mnpo", {"n": 4}, {"num_players": 4}),
    ("mnpo", {"players": 4}, {"num_players": 4}),
    ("mnpo-eq10", {"eta": 0.4}, {"step_size": 0.4}),
    ("mnpo-eq10", {"n": 4}, {"num_players": 4}),
    ("mnpo-eq10", {"players": 4}, {"num_players": 4}),
    ("mnpo-eq15", {"eta": 0.4}, {"step_size": 0.4}),  # its updates then step by 1/eta
    ("mnpo-eq15", {"n": 2}, {"num_players": 2}),
    ("mnpo-eq15", {"players": 2}, {"num_players": 2}),
    ("ht-mnpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("ht-mnpo", {"tau": 0.4}, {"temperature": 0.4}),
    ("ht-mnpo", {"n": 3}, {"num_players": 3}),
    ("ht-mnpo", {"players": 3}, {"num_players": 3}),
    ("eo-mnpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("inpo", {"eta": 4.0}, {"step_size": 0.25}),
    ("inpo", {"tau": 0.4}, {"temperature": 0.4}),
    ("sppo", {"eta": 0.4}, {"step_size": 0.4}),
    ("sppo-practical", {"eta": 0.4}, {"step_size": 0.4}),
    ("dpo", {"beta": 0.4}, {"temperature": 0.4}),
    ("dpo-online", {"beta": 0.4}, {"temperature": 0.4}),
    ("dpo-iterative", {"beta": 0.4}, {"temperature": 0.4}),
    ("ipo", {"tau": 0.4}, {"temperature": 0.4}),
    ("ipo-online", {"tau": 0.4}, {"temperature": 0.4}),
    ("dno", {"eta": 4.0}, {"step_size": 0.25}),
    ("spin", {"lambda_": 1.4}, {"beta": 1.4}),
    ("nash-md", {"eta": 0.4}, {"step_size": 0.4}),
    ("nash-md", {"tau": 0.4}, {"temperature": 0.4}),
    ("nash-ema", {"eta": 0.4}, {"step_size": 0.4}),
    ("nash-ema", {"tau": 0.4}, {"temperature": 0.4}),
    ("onpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("egpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("egpo", {"beta": 0.4}, {"temperature": 0.4}),
    ("mmd", {"eta": 0.4}, {"step_size": 0.4}),
    ("mmd", {"alpha": 0.4}, {"temperature": 0.4}),
    ("mpo", {"eta": 0.4}, {"step_size": 0.4}),
    ("mpo", {"alpha": 0.4}, {"temperature": 0.4}),
    ("comal", {"eta": 4.0}, {"step_size": 0.25}),
    ("comal", {"tau": 0.4}, {"temperature": 0.4}),
    ("mwu", {"eta": 0.4}, {"step_size": 0.4}),
]


@pytest.mark.parametrize(("name", "own", "common"), TABLE)
def test_translation(name: str, own: dict[str, Any], common: dict[str, Any]) -> None:
    translated, direct = get_algorithm(name, **own), get_algorithm(name, **common)
    for field, value in common.items():
        assert getattr(translated, field) == value
    assert translated.parameters() == direct.parameters()


def test_the_table_is_complete() -> None:
    names = {entry.name for entry in list_algorithms()}
    assert set(PAPER_PARAMETERS) == names
    known = {(name, key) for name, own in PAPER_PARAMETERS.items() for key in own}
    assert known == {(name, key) for name, own, _ in TABLE for key in own}
    assert all(entry.meaning for own in PAPER_PARAMETERS.values() for entry in own.values())


def test_inverse_steps_of_a_sweep() -> None:
    value = get_algorithm("inpo", eta=np.array([2.0, 4.0]))
    assert np.array_equal(np.asarray(value.step_size), [0.5, 0.25])


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        (
            "inpo",
            {"eta": 2.0, "step_size": 0.5},
            "inpo: 'eta' sets step_size (eta is the inverse step: alpha = 1/eta) and step_size is "
            "given as well; give one of them",
        ),
        (
            "inpo",
            {"step_size": 0.5, "eta": 2.0},
            "inpo: 'eta' sets step_size (eta is the inverse step: alpha = 1/eta) and step_size is "
            "given as well; give one of them",
        ),
        ("dpo", {"temperature": 0.5, "beta": 2.0}, "dpo: 'beta' sets temperature"),
        ("mmd", {"alpha": 0.1, "temperature": 0.1}, "mmd: 'alpha' sets temperature"),
        ("mnpo", {"n": 3, "players": 3}, "mnpo: 'players' sets num_players"),
        ("spin", {"lambda_": 1.0, "beta": 1.0}, "spin: 'lambda_' sets beta"),
        ("inpo", {"eta": 0}, "inpo: eta is an inverse step here and must not be 0"),
        ("dno", {"eta": 0.0}, "dno: eta is an inverse step here and must not be 0"),
        ("inpo", {"eta": "two"}, "inpo: eta must be a number, got 'two'"),
    ],
)
def test_refusals(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)):
        get_algorithm(name, **given)
