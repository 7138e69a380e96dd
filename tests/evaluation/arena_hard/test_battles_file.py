import gzip
import random

import pytest

from evaluation.arena_hard.battles_file import read_battles
from evaluation.arena_hard.versions import VERSIONS
from mnpo.errors import UserError

V01 = VERSIONS["v0.1"]
BASE = "gpt-4-0314"


def write(path, rows, header="question_id,model_a,model_b,winner"):
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return path


def rows(question, *winners, model="m", swap=False):
    pair = (model, BASE) if swap else (BASE, model)
    return [(question, *pair, winner) for winner in winners]


def games(collected):
    return {
        (own.model, own.question): [(g.points, g.strong) for g in own.grades]
        for own in collected.judged
    }


def test_rows_become_games_whatever_their_order(tmp_path) -> None:
    given = [
        *rows("two-weak", "model_b", "tie"),
        *rows("weak-and-strong", "model_a", "model_b", "model_b", "model_b"),
        *rows("four-alike", *["model_b"] * 4),
        *rows("both-strong", *["model_a"] * 3, *["model_b"] * 3),
        *rows("one-strong", *["model_a"] * 3),
        *rows("one-tie", "tie (bothbad)"),
        *rows("sides-swapped", "model_a", "model_a", swap=True),
    ]
    expected = {
        ("m", "two-weak"): [(0.5, False), (1.0, False)],
        ("m", "weak-and-strong"): [(1.0, True), (0.0, False)],
        ("m", "four-alike"): [(1.0, True), (1.0, False)],
        ("m", "both-strong"): [(1.0, True), (0.0, True)],
        ("m", "one-strong"): [(0.0, True)],
        ("m", "one-tie"): [(0.5, False)],
        ("m", "sides-swapped"): [(1.0, False), (1.0, False)],
    }
    assert games(read_battles([write(tmp_path / "a.csv", given)], V01)) == expected
    random.Random(1).shuffle(given)
    assert games(read_battles([write(tmp_path / "b.csv", given)], V01)) == expected


def test_gzipped_jsonl_and_several_files(tmp_path) -> None:
    one = write(tmp_path / "one.csv", rows("q", "tie", "tie"))
    two = tmp_path / "two.jsonl.gz"
    two.write_bytes(
        gzip.compress(
            b'{"question_id": "q", "model_a": "gpt-4-0314", "model_b": "n", "winner": "model_b"}\n'
            * 2
        )
    )
    found = read_battles([one, two], V01)
    assert [own.model for own in found.judged] == ["m", "n"]
    assert found.judged[1].baseline == BASE


def test_battles_between_models_are_kept_apart(tmp_path) -> None:
    given = [
        *rows("q", "tie", "tie"),
        ("q", "m", "n", "model_a"),
        *rows("q", "tie", "tie", model="n"),
    ]
    found = read_battles([write(tmp_path / "a.csv", given)], V01)
    assert [(b.first, b.second, b.points) for b in found.between] == [("m", "n", 1.0)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (rows("q", "A"), r"row 1: winner 'A' is none of model_a, model_b, tie"),
        (rows("q", *["model_b", "model_a"] * 2), "question q has 4 rows that cannot come from two"),
        (rows("q", *["model_b"] * 5), "has 5 rows"),
        (rows("q", *["model_b"] * 8), "has 8 rows"),
        (rows("q", *["tie"] * 3), "has 3 rows"),
        (rows("q", *["tie"] * 6), "has 6 rows"),
        ([("q", "m", "n", "tie")], "no battle against gpt-4-0314, the baseline of arena-hard-v0.1"),
        ([("q", BASE, BASE, "tie")], "plays against itself"),
        ([], "no battles"),
    ],
)
def test_bad_rows_are_refused(tmp_path, given, says) -> None:
    with pytest.raises(UserError, match=says):
        read_battles([write(tmp_path / "a.csv", given)], V01)


def test_a_question_in_two_files_is_refused(tmp_path) -> None:
    one = write(tmp_path / "one.csv", rows("q", "tie"))
    two = write(tmp_path / "two.csv", rows("q", "tie"))
    with pytest.raises(UserError, match=r"two.csv, row 1: m, question q is already in .*one.csv"):
        read_battles([one, two], V01)


def test_another_baseline_by_name(tmp_path) -> None:
    path = write(tmp_path / "a.csv", [("q", "m", "n", "model_a"), ("q", "m", "n", "tie")])
    (own,) = read_battles([path], V01, baseline="m").judged
    assert (own.model, own.baseline) == ("n", "m")
    assert [g.points for g in own.grades] == [0.0, 0.5]
