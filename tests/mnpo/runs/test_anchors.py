"""YAML whose anchors repeat parts: a few are a convenience, without end they are an attack."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mnpo.runs.directory import dump_yaml
from mnpo.runs.reading import load_written, load_yaml

READERS = pytest.mark.parametrize("load", [load_yaml, load_written])
SIMPLE = """
common: &common {temperature: 1.0, seeds: [1, 2]}
one: {<<: *common, seeds: [3]}
two: *common
"""


@READERS
def test_simple_anchors_work(load) -> None:
    common = {"temperature": 1.0, "seeds": [1, 2]}
    expected = {"common": common, "one": {"temperature": 1.0, "seeds": [3]}, "two": common}
    assert load(SIMPLE) == expected


def bomb(levels: int, first: str = "[x, x]") -> str:
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@READERS
@pytest.mark.parametrize(
    "text",
    [
        bomb(12),
        f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 5000)}]",
        "a0: &a0 {k: 1}\n"
        + "\n".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)),
    ],
)
def test_anchors_that_repeat_too_much(load, text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="its anchors repeat too much"):
        load(text)


@READERS
@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "&a [1, [*a]]", "a: &a {b: *a}", "a: &a {? *a : 1}"]
)
def test_anchors_that_hold_themselves(load, text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="an anchor holds itself"):
        load(text)


@READERS
@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "? " * 50_000])
def test_nesting_without_end(load, text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load(text)


@READERS
def test_nothing_is_nothing(load) -> None:
    assert load("") is None
    assert load("# nothing") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_what_was_written_is_read_as_plain_yaml_has_it(config) -> None:
    text = dump_yaml(config)
    assert load_written(text) == yaml.safe_load(text)
