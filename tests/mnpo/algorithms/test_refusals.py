"""Impossible values, each refused with one line that names the method, the field and the value."""

import re
from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import get_algorithm, list_algorithms
from mnpo.errors import InvalidSetting

OUT_OF_RANGE: list[tuple[str, dict[str, Any], str]] = [
    ("inpo", {"step_size": 0.0}, "inpo: step_size must be above 0 and finite, got 0"),
    ("inpo", {"step_size": -1.0}, "inpo: step_size must be above 0 and finite, got -1"),
    ("inpo", {"step_size": float("nan")}, "inpo: step_size must be above 0 and finite, got nan"),
    ("inpo", {"step_size": float("inf")}, "inpo: step_size must be above 0 and finite, got inf"),
    ("inpo", {"step_size": np.array([0.1, -2.0])}, "inpo: step_size must be above 0"),
    ("inpo", {"temperature": -0.1}, "inpo: temperature must be at least 0 and finite, got -0.1"),
    ("inpo", {"schedule": "linear"}, "inpo: schedule must be 'constant' or 'decaying', got 'lin"),
    (
        "inpo",
        {"schedule": "decaying", "temperature": 0.0},
        "inpo: schedule 'decaying' is 2/(temperature (t + 2)); it needs a temperature above 0",
    ),
    ("mnpo", {"num_players": 1}, "mnpo: num_players must be at least 2, got 1"),
    ("mnpo", {"history_weights": ()}, "mnpo: history_weights must be numbers of at least 0, one"),
    ("mnpo", {"history_weights": (0.5, -0.1)}, "for each lag 0, 1, ...; got [0.5, -0.1]"),
    ("mnpo", {"history_weights": (float("nan"),)}, "mnpo: history_weights must be numbers"),
    ("mnpo", {"history_weights": (0, 0)}, "mnpo: history_weights must not all be 0"),
    ("mnpo", {"reference_weight": -0.1}, "mnpo: reference_weight must be at least 0 and finite"),
    ("mnpo", {"reference_weight": 1.0}, "mnpo: reference_weight must be below 1, got 1.0"),
    ("mnpo", {"advantage": "pi"}, "mnpo: advantage must be one of current, average, reward, got"),
    ("mnpo", {"target_form": "x"}, "mnpo: target_form must be one of sound, literal, got 'x'"),
    ("mnpo-eq10", {"num_players": 1}, "mnpo-eq10: num_players must be at least 2, got 1"),
    ("mnpo-eq10", {"target_form": "x"}, "must be one of sound, own-pairs, literal, got 'x'"),
    ("ht-mnpo", {"num_players": 1}, "ht-mnpo: num_players must be at least 2, got 1"),
    ("ht-mnpo", {"reading": "x"}, "ht-mnpo: reading must be one of alg2, intended, got 'x'"),
    ("ht-mnpo", {"self_weight": 1.5}, "ht-mnpo: self_weight must be in [0, 1], got 1.5"),
    ("eo-mnpo", {"advantage": "x"}, "must be one of reward, externals, current, got 'x'"),
    ("eo-mnpo", {"external_weights": ()}, "eo-mnpo: external_weights must be numbers of at least"),
    ("eo-mnpo", {"external_weights": (1.0, -1.0)}, "one for each external policy; got [1.0, -1.0]"),
    ("eo-mnpo", {"external_weights": (0.0,)}, "eo-mnpo: external_weights must not all be 0"),
    ("eo-mnpo", {"reference_weight": 1.0}, "eo-mnpo: reference_weight must be in [0, 1), got 1"),
    ("sppo", {"form": "x"}, "sppo: form must be one of exact, practical, got 'x'"),
    ("dpo", {"variant": "x"}, "dpo: variant must be one of offline, online, iterative, got 'x'"),
    ("dpo", {"temperature": 0.0}, "dpo: temperature must be above 0 and finite, got 0"),
    ("ipo", {"variant": "x"}, "ipo: variant must be one of offline, online, got 'x'"),
    ("ipo-online", {"temperature": 0}, "ipo-online: temperature must be above 0 and finite, got 0"),
    ("spin", {"beta": 0.0}, "spin: beta must be above 0 and finite, got 0"),
    ("nash-ema", {"decay": 1.0}, "nash-ema: decay must be in [0, 1), got 1"),
    ("nash-ema", {"decay": -0.1}, "nash-ema: decay must be in [0, 1), got -0.1"),
    ("mpo", {"inner": 0}, "mpo: inner must be at least 1, got 0"),
    ("comal", {"inner": 0}, "comal: inner must be at least 1, got 0"),
    ("comal", {"temperature": 0.0}, "comal: temperature must be above 0 and finite, got 0"),
]

WRONG_KIND: list[tuple[str, dict[str, Any], str]] = [
    ("inpo", {"step_size": "fast"}, "inpo: step_size must be a number, got 'fast'"),
    ("inpo", {"temperature": None}, "inpo: temperature must be a number, got None"),
    ("inpo", {"schedule": 3}, "inpo: schedule must be 'constant' or 'decaying', got 3"),
    ("mnpo", {"num_players": 2.5}, "mnpo: num_players must be a whole number, got 2.5"),
    ("mnpo", {"num_players": True}, "mnpo: num_players must be a whole number, got True"),
    ("mnpo", {"history_weights": 0.5}, "mnpo: history_weights must be a list of numbers or none"),
    ("mnpo", {"history_weights": ["a"]}, "mnpo: history_weights must be a list of numbers"),
    ("mnpo", {"scale_weights": "no"}, "mnpo: scale_weights must be true or false, got 'no'"),
    ("mnpo", {"reference_weight": "x"}, "mnpo: reference_weight must be a number or none, got"),
    ("eo-mnpo", {"external_weights": 2}, "eo-mnpo: external_weights must be a list of numbers,"),
    ("ht-mnpo", {"self_weight": "x"}, "ht-mnpo: self_weight must be a number, got 'x'"),
    ("mpo", {"inner": 2.5}, "mpo: inner must be a whole number, got 2.5"),
    ("comal", {"inner": "x"}, "comal: inner must be a whole number or none, got 'x'"),
    ("nash-ema", {"decay": "x"}, "nash-ema: decay must be a number, got 'x'"),
    ("spin", {"beta": [1.0, 2.0]}, "spin: beta must be a number, got [1.0, 2.0]"),
]


@pytest.mark.parametrize(("name", "given", "message"), [*OUT_OF_RANGE, *WRONG_KIND])
def test_refused_in_one_line(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)) as error:
        get_algorithm(name, **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [entry.name for entry in list_algorithms()])
def test_numbers_of_any_numeric_kind_are_taken(name: str) -> None:
    value = get_algorithm(name, step_size=np.float64(0.5), temperature=1)
    assert value.step(0) == 0.5
    assert np.asarray(value.temperature) == 1
    get_algorithm(name, step_size=np.array([0.5, 1.0]), temperature=np.float32(0.25))


def test_whole_numbers_from_numpy_and_lists_from_json() -> None:
    assert get_algorithm("mnpo", num_players=np.int64(4)).updates(0)
    assert get_algorithm("mnpo", history_weights=[1, 0.5]).updates(0)
    assert get_algorithm("eo-mnpo", external_weights=[1]).updates(0)


def test_spin_has_no_step_to_schedule() -> None:
    spin = get_algorithm("spin", schedule="decaying")
    with pytest.raises(InvalidSetting, match="spin: there is no step size to schedule"):
        spin.updates(0)
