import json

import pytest

from evaluation.arena_hard.judgments_file import Reading, read_judgments
from evaluation.arena_hard.versions import VERSIONS
from mnpo.errors import UserError

V01, V20 = VERSIONS["v0.1"], VERSIONS["v2.0"]
PATTERN = ("\\[\\[([AB<>=]+)\\]\\]",)


def old(question="q", first="A>B", second="A>>B", model="m", **more):
    games = [{"user_prompt": "?", "judgment": f"so [[{s}]]", "score": s} for s in (first, second)]
    return {"question_id": question, "model": model, "judge": "j", "games": games} | more


def new(question="q", first="A>B", second="A>>B", category="hard_prompt", **more):
    games = [
        {"score": s, "judgment": {"answer": f"[[{s}]]"}, "prompt": []} for s in (first, second)
    ]
    return {
        "uid": question,
        "category": category,
        "judge": "j",
        "model": "m",
        "baseline": "o3-mini-2025-01-31",
        "games": games,
    } | more


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_format_of_2024(tmp_path) -> None:
    found = read_judgments([write(tmp_path / "a.jsonl", old())], V01)
    (own,) = found.judged
    assert (own.category, own.baseline, found.judge) == ("arena-hard-v0.1", "gpt-4-0314", "j")
    first, second = own.games
    assert (first.points, first.weight) == (0.0, 1)
    assert (second.points, second.weight) == (1.0, 3)


def test_the_current_format(tmp_path) -> None:
    rows = (new(), new("c", category="creative_writing", baseline="gemini-2.0-flash-001"))
    one, two = read_judgments([write(tmp_path / "a.jsonl", *rows)], V20).judged
    assert (one.category, one.baseline) == ("hard_prompt", "o3-mini-2025-01-31")
    assert (two.category, two.baseline) == ("creative_writing", "gemini-2.0-flash-001")


def test_no_verdict_is_missing_and_never_a_tie(tmp_path) -> None:
    rows = [
        old("null", None),
        old("odd", "A>>>B"),
        old("variant", "B<<A"),
        new("gone", category="hard_prompt"),
    ]
    rows[3]["games"][0] = None
    found = read_judgments([write(tmp_path / "a.jsonl", *rows[:3])], V01)
    null, odd, variant = found.judged
    assert null.games[0] is None
    assert odd.games[0] is None
    assert found.notes == ("1 stored scores are none of the verdict labels: they count as missing",)
    assert (variant.games[0].points, variant.games[0].strong) == (0.0, True)
    (gone,) = read_judgments([write(tmp_path / "b.jsonl", rows[3])], V20).judged
    assert gone.games[0] is None
    assert gone.games[1] is not None


def test_reading_the_texts_again(tmp_path) -> None:
    row = old("q", "A>B", "B>A")
    row["games"][1]["judgment"] = "first I thought [[A>B]], no: [[B>>A]]"
    path = write(tmp_path / "a.jsonl", row)
    (own,) = read_judgments([path], V01, reading=Reading(PATTERN, "unique")).judged
    assert own.games[0].points == 0.0
    assert own.games[1] is None
    found = read_judgments([path], V01, reading=Reading(PATTERN, "last"))
    assert found.judged[0].games[1].strong
    assert "1 of 2 differ" in found.notes[0]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([old(), old()], "m, question q is already in"),
        ([old(first="7")], "score '7' of game 1 is none of A>>B"),
        ([old(first=1)], "score '1' of game 1"),
        ([old(games=[{"score": "A>B"}])], "needs 2 games, one for each order, got 1 games"),
        ([old(games="no")], "needs 2 games"),
        ([old(games=[{}, {}])], "game 1 has no score"),
        ([old(games=["x", "y"])], "a game is no JSON object"),
        ([old(), old("p", judge="k")], "the judge is 'k', in earlier rows 'j'"),
        ([old(category="poetry")], "category 'poetry' is none of arena-hard-v0.1"),
        ([{"model": "m", "games": []}], "has no question_id or uid"),
        ([], "no judgements"),
    ],
)
def test_bad_rows_are_refused(tmp_path, rows, says) -> None:
    with pytest.raises(UserError, match=says):
        read_judgments([write(tmp_path / "a.jsonl", *rows)], V01)


def test_a_baseline_that_the_file_contradicts(tmp_path) -> None:
    with pytest.raises(UserError, match="the baseline is 'o3-mini-2025-01-31', not 'x'"):
        read_judgments([write(tmp_path / "a.jsonl", new())], V20, baseline="x")
    (own,) = read_judgments([write(tmp_path / "b.jsonl", old())], V01, baseline="x").judged
    assert own.baseline == "x"
