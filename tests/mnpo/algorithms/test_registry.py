"""The registry: names, aliases, cards, and what makes an algorithm a value."""

import json
import re
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import Algorithm, Badge, find_entry, get_algorithm, list_algorithms
from mnpo.errors import InvalidSetting, UserError

NAMES = [entry.name for entry in list_algorithms()]


def test_every_method_that_was_promised_is_there() -> None:
    promised = (
        "mnpo mnpo-eq10 mnpo-eq15 ht-mnpo eo-mnpo inpo sppo sppo-practical dpo dpo-online "
        "dpo-iterative ipo ipo-online dno spin nash-md nash-ema onpo egpo mmd mpo comal mwu"
    )
    assert sorted(NAMES) == sorted(promised.split())
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_makes_the_value_and_the_value_knows_its_name(name: str) -> None:
    value = get_algorithm(name)
    assert isinstance(value, Algorithm)
    assert value.name == name
    # A setting does not change the name; a preset of another entry does.
    assert get_algorithm(name, temperature=0.3).name == name


def test_a_preset_given_by_hand_is_the_preset_by_name() -> None:
    assert get_algorithm("dpo", variant="iterative").name == "dpo-iterative"
    assert get_algorithm("ipo", variant="online").name == "ipo-online"
    assert get_algorithm("sppo", form="practical").name == "sppo-practical"
    assert get_algorithm("mnpo-eq10", target_form="literal").name == "mnpo-eq15"
    assert get_algorithm("mnpo-eq10", target_form="own-pairs").name == "mnpo-eq10"


@pytest.mark.parametrize(("alias", "name"), [("td-mnpo", "mnpo"), ("hedge", "mwu"), ("spo", "mwu")])
def test_other_spellings(alias: str, name: str) -> None:
    assert find_entry(alias) is find_entry(name)
    assert get_algorithm(alias, step_size=0.3).name == name


@pytest.mark.parametrize("name", NAMES)
def test_card_says_where_the_method_comes_from(name: str) -> None:
    card = find_entry(name).kind.card
    assert re.fullmatch(r"\d{4}\.\d{5}", card.arxiv)
    assert len(card.title) > 20
    assert card.equations
    assert card.summary
    assert "\n" not in card.summary
    assert isinstance(card.badge, Badge)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_immutable(name: str) -> None:
    value = get_algorithm(name)
    with pytest.raises(FrozenInstanceError):
        value.step_size = 2.0  # type: ignore[misc]
    given = get_algorithm("mnpo", history_weights=[0.5, 0.5])
    assert given.parameters()["history_weights"] == [0.5, 0.5]
    assert isinstance(getattr(given, "history_weights", None), tuple)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_json_and_make_the_value_again(name: str) -> None:
    value = get_algorithm(name)
    written = json.loads(json.dumps(value.parameters()))
    again = get_algorithm(name, **written)
    assert again.parameters() == value.parameters()
    # What the method does not read is not among them.
    for field in ("step_size", "temperature"):
        assert (field in written) == (field in value.reads)


def test_batched_parameters_are_lists_in_json() -> None:
    value = get_algorithm("inpo", step_size=np.array([0.1, 0.2]), temperature=0.1)
    assert value.parameters()["step_size"] == [0.1, 0.2]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_default_and_a_word_in_the_docs(name: str) -> None:
    kind = find_entry(name).kind
    documented = "".join(c.__doc__ or "" for c in kind.__mro__ if issubclass(c, Algorithm))
    for field in fields(kind):
        assert re.search(rf"\b{field.name}\b", documented), field.name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inpoo", "unknown algorithm 'inpoo'; did you mean 'inpo'?"),
        ("nashmd", "did you mean 'nash-md'?"),
        ("td-mnp", "did you mean 'td-mnpo'?"),
        ("zzz", "unknown algorithm 'zzz'; known: comal, dno, dpo,"),
    ],
)
def test_unknown_algorithm(name: str, message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)) as error:
        get_algorithm(name)
    assert isinstance(error.value, UserError)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "parameter", "message"),
    [
        (
            "inpo",
            {"stepsize": 1.0},
            "inpo: unknown parameter 'stepsize'; did you mean 'step_size'?",
        ),
        ("mnpo", {"history_weight": 1}, "did you mean 'history_weights'?"),
        ("mpo", {"iner": 2}, "did you mean 'inner'?"),
        ("sppo", {"tau": 0.1}, "sppo: unknown parameter 'tau'; known: form, schedule,"),
        ("inpo", {"beta": 0.1}, "inpo: unknown parameter 'beta'; known: schedule, step_size, tem"),
    ],
)
def test_unknown_parameter(name: str, parameter: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)):
        get_algorithm(name, **parameter)
