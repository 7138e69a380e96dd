"""Answers from files: the official formats, and what is refused."""

import json

import pytest

from evaluation.answers.given import read_answers
from evaluation.records import Question
from mnpo.errors import UserError

ONE = (Question("0", ("What is a lamp?",)), Question("1", ("Name two birds.",)))
TWO = (Question("81", ("Sing.", "Louder.")),)


def write(tmp_path, records):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(records))
    return path


def test_alpaca_eval_outputs_in_any_order(tmp_path) -> None:
    path = write(
        tmp_path,
        [
            {"instruction": "Name two birds.", "output": "Wren, owl.", "generator": "m"},
            {"instruction": "What is a lamp?", "output": "", "generator": "m"},
        ],
    )
    found = read_answers(path, ONE)
    assert found.model == "m"
    assert {k: a.turns for k, a in found.answers.items()} == {"1": ("Wren, owl.",), "0": ("",)}


def test_answers_of_2024_and_2025(tmp_path) -> None:
    old = {"question_id": 81, "model_id": "m", "choices": [{"turns": ["La.", "LA."]}]}
    assert read_answers(write(tmp_path, [old]), TWO).answers["81"].turns == ("La.", "LA.")
    old["choices"] = [{"turns": [{"content": "La."}, {"content": "LA."}]}]
    assert read_answers(write(tmp_path, [old]), TWO).answers["81"].turns == ("La.", "LA.")
    said = [{"role": "user", "content": "What is a lamp?"}]
    said.append({"role": "assistant", "content": {"answer": "A light."}})
    new = {"uid": "0", "model": "m", "messages": said}
    assert read_answers(write(tmp_path, [new]), ONE).answers["0"].turns == ("A light.",)


def test_answers_as_the_mini_benchmark_writes_them(tmp_path) -> None:
    own = {"question_id": "1", "model": "m", "answer": "Wren, owl."}
    assert read_answers(write(tmp_path, [own]), ONE).answers["1"].turns == ("Wren, owl.",)


def row(**changes):
    own = {"index": 0, "instruction": "What is a lamp?", "output": "A light.", "generator": "m"}
    return {**own, **changes}


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([row(), row()], "row 2: question 0 was answered before, in .*row 1"),
        ([row(), row(index=1, instruction="Name two birds.", generator="x")], "is of model 'x'"),
        ([row(index=7)], "row 1: index 7 is no question"),
        ([row(instruction="What is a lamb?")], "is not the text of index 0"),
        ([row(output=None)], "must be a text, got None"),
        ([{"index": 0}], "has no answer"),
        ([{"output": "x"}], "has no instruction or prompt"),
        ([{"instruction": "Who?", "output": "x"}], "is no question of the benchmark"),
        ([], "holds no answers"),
        ([{"index": 0, "choices": [{"turns": ["a", "b"]}]}], "has 2 answers to 1 turns"),
    ],
)
def test_what_is_refused(tmp_path, records, says) -> None:
    with pytest.raises(UserError, match=says):
        read_answers(write(tmp_path, records), ONE)


def test_half_a_character_in_names_and_answers_can_be_written(tmp_path) -> None:
    found = read_answers(write(tmp_path, [row(generator="m\ud800", output="A light \udfff")]), ONE)
    assert found.model == "m\ufffd"
    assert found.answers["0"].turns == ("A light \ufffd",)
