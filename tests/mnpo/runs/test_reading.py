"""YAML and key=value texts: numbers are numbers, and nothing is dropped silently."""

import pytest
import yaml

from mnpo.errors import InvalidSetting
from mnpo.runs.reading import load_yaml, read_value, read_yaml_file


def test_fractions_anywhere_but_in_quotes_and_paths() -> None:
    text = "a: 1/3\nb: [1/4, -1e-1/2]\nc: '1/3'\nd: data/1/3\ne: 2020/01/02\nf: 1/0\n"
    assert load_yaml(text) == {
        "a": 1 / 3,
        "b": [0.25, -0.05],
        "c": "1/3",
        "d": "data/1/3",
        "e": "2020/01/02",
        "f": "1/0",
    }
    assert read_value("{kind: x, path: a/b, w: [1/2, 1/2]}", "here") == {
        "kind": "x",
        "path": "a/b",
        "w": [0.5, 0.5],
    }


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "{a: 1, a: 1}", "x: [{a: 1, a: 2}]"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    assert yaml.safe_load(text), "plain YAML takes it"
    with pytest.raises(yaml.MarkedYAMLError, match="'a' is given twice"):
        load_yaml(text)


def test_anchors_and_merges_still_work() -> None:
    assert load_yaml("a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2}\n")["c"] == {"k": 2}


def test_a_file_is_named_with_the_line(tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    for text, said in (
        ("a: 1\na: 2\n", "mine.yaml is not YAML: line 2: 'a' is given twice"),
        ("- 1\n", "mine.yaml must hold keys and values"),
    ):
        file.write_text(text)
        with pytest.raises(InvalidSetting) as caught:
            read_yaml_file(file, "mine.yaml")
        assert said in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 3000, "1" * 5000, "2024-13-45", "{a: " * 3000])
def test_values_without_end_are_refused_in_one_line(tmp_path, text) -> None:
    with pytest.raises(InvalidSetting, match="--set x: cannot read") as error:
        read_value(text, "--set x")
    assert len(str(error.value)) < 200
    file = tmp_path / "mine.yaml"
    file.write_text(f"a: {text}\n")
    with pytest.raises(InvalidSetting, match=r"mine.yaml is not YAML"):
        read_yaml_file(file, "mine.yaml")
