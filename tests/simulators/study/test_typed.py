"""Values of settings in the types that the simulator takes."""

import pytest

from mnpo.errors import InvalidSetting
from simulators.study.typed import typed_extras, typed_mode


def test_modes() -> None:
    assert typed_mode({"name": "exact"}) == {"name": "exact"}
    given = {"name": "sampled", "queries": 20.0, "label_noise": 0, "ridge": 2}
    typed = typed_mode(given)
    assert typed == given
    assert isinstance(typed["queries"], int)
    assert isinstance(typed["ridge"], float)
    assert typed_mode({"name": "gradient", "optimizer": None})["optimizer"] is None


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("queries", "x", "queries must be a whole number, got 'x'"),
        ("queries", 1.5, "queries must be a whole number"),
        ("queries", 2**40, "queries must be at most 2147483647"),
        ("queries", 0, "queries must be at least 1, got 0"),
        ("hidden", None, "hidden must be a whole number, got None"),
        ("hidden", [1], "hidden must be a whole number"),
        ("label_noise", "loud", "label_noise must be a number, got 'loud'"),
        ("label_noise", float("nan"), "label_noise must be a finite number"),
        ("ridge", float("inf"), "ridge must be a finite number"),
        ("optimizer", "x", "optimizer must be 'lbfgs', 'adam' or 'sgd', got 'x'"),
        ("annotator_sampling", 1, "annotator_sampling must be 'each' or 'iteration', got 1"),
    ],
)
def test_modes_that_are_refused(key: str, value: object, said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        typed_mode({"name": "sampled", key: value})
    assert str(caught.value).startswith(said)


def test_extras() -> None:
    given = {"rewards": "1,2,3", "demonstrations": (0.5, 0.5), "externals": "0.6,0.4;0.5,0.5"}
    assert typed_extras(given) == {
        "rewards": [1.0, 2.0, 3.0],
        "demonstrations": [0.5, 0.5],
        "externals": [[0.6, 0.4], [0.5, 0.5]],
    }
    assert typed_extras({"externals": [[0.6, 0.4]]}) == {"externals": [[0.6, 0.4]]}
    assert typed_extras({"rewards": None}) == {"rewards": None}


@pytest.mark.parametrize("value", ["", "gold", [], {}, 3, True, ["a"], [[1]], {"a": 1}])
@pytest.mark.parametrize("key", ["rewards", "demonstrations"])
def test_numbers_that_are_none(key: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=f"{key}: give one number for each action"):
        typed_extras({key: value})


@pytest.mark.parametrize("value", ["", [], {}, 3, [[]], ["gold"], [{}]])
def test_externals_that_are_none(value: object) -> None:
    with pytest.raises(InvalidSetting, match=r"externals(\[0\])?: give one "):
        typed_extras({"externals": value})
