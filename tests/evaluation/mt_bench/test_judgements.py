import json

import pytest

from evaluation.mt_bench.games import read_matches
from evaluation.mt_bench.judgements import read_judgements
from evaluation.rows import read_rows
from mnpo.errors import UserError


def test_a_rating(rating, as_rows):
    (one,) = read_judgements(as_rows([rating(score=7.5)])).judgements
    assert (one.model, one.question, one.turn, one.rating) == ("m", "1", 1, 7.5)
    assert (one.judge, one.template) == ("j", "single-v1")


def test_ids_as_numbers_and_as_texts_are_the_same(rating, as_rows):
    found = read_judgements(as_rows([rating(81), rating("81", 2)])).judgements
    assert {one.question for one in found} == {"81"}


def test_minus_one_is_no_rating(rating, as_rows):
    (one,) = read_judgements(as_rows([rating(score=-1, judgment="I cannot say.")])).judgements
    assert one.rating is None


def test_without_a_text_the_score_counts_and_without_a_score_the_text(rating, as_rows):
    rows = [rating(score=6), rating(score=None, turn=2)]
    del rows[0]["judgment"]
    rows[1]["judgment"] = "[[4]]"
    found = read_judgements(as_rows(rows)).judgements
    assert [one.rating for one in found] == [6, 4]


@pytest.mark.parametrize("cell", ["['j', 'single-v1']", '["j", "single-v1"]'])
def test_a_judge_in_a_cell_of_a_csv_file(rating, as_rows, cell):
    (one,) = read_judgements(as_rows([rating() | {"judge": cell}])).judgements
    assert (one.judge, one.template) == ("j", "single-v1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": float("nan")}, "row 2: score must be a number, got nan"),
        ({"score": float("inf")}, "score must be a number"),
        ({"score": "good"}, "score must be a number"),
        ({"score": True}, "score must be a number"),
        ({"score": -2}, "score must be a rating or -1"),
        ({"score": 9}, r"row 2: score is 9, but the judgment's text reads 7; --reread"),
        ({"judgment": "no rating"}, r"score is 7, but the judgment's text reads -1"),
        ({"turn": 3}, "turn must be 1 or 2, got 3"),
        ({"turn": None}, "turn must be 1 or 2"),
        ({"question_id": None}, "question_id must be"),
        ({"question_id": 1.5}, "question_id must be"),
        ({"model": ""}, "model is empty"),
        ({"model": 3}, "model must be a text"),
        ({"judge": []}, "judge must be"),
        ({"judge": 5}, "judge must be"),
        ({"judge": "['j', 5]"}, "judge must be"),
        ({"judge": "[" * 9000 + "]"}, "judge must be"),
        ({"judge": "[print('x'), 'y']"}, "judge must be"),
        ({"judgment": 5}, "judgment must be a text"),
        ({"judgment": None, "score": None}, "neither a score nor a judgment"),
    ],
)
def test_what_is_refused(rating, as_rows, change, message):
    with pytest.raises(UserError, match=message):
        read_judgements(as_rows([rating(5), rating(score=7) | change]))


def test_reread_takes_the_texts_rating(rating, as_rows):
    rows = as_rows([rating(score=7) | {"score": 9}])
    assert read_judgements(rows, reread=True).judgements[0].rating == 7


def test_copies_are_refused_and_repeats_are_not(rating, as_rows):
    rows = [rating(), rating(), rating(turn=2)]
    with pytest.raises(UserError, match=r"row 2: is a copy of f.jsonl, row 1"):
        read_judgements(as_rows(rows))
    read = read_judgements(as_rows(rows), allow_copies=True)
    assert len(read.judgements) == 2
    assert "1 rows are copies" in read.flags["m"][0]
    again = [rating(), rating(judgment="Again. [[7]]")]
    assert len(read_judgements(as_rows(again)).judgements) == 2
    stamped = [rating(tstamp=1.0), rating(tstamp=2.0)]
    assert len(read_judgements(as_rows(stamped)).judgements) == 2


def test_a_judge_may_say_the_same_twice_but_not_more_often_than_it_was_asked(rating, as_rows):
    once = rating(turn=1, judgment="Good. [[7]]")
    twice = [rating(turn=2, judgment="One. [[7]]"), rating(turn=2, judgment="Two. [[7]]")]
    read = read_judgements(as_rows([once, once, *twice]))
    assert len(read.judgements) == 4
    assert "1 rows agree with earlier ones" in read.flags["m"][0]
    with pytest.raises(UserError, match=r"row 3: is a copy of f.jsonl, row 1"):
        read_judgements(as_rows([once, once, once, *twice]))
    with pytest.raises(UserError, match=r"row 5: is a copy of f.jsonl, row 3"):
        read_judgements(as_rows([once, once, *twice, twice[0]]))


def test_csv_holds_the_same(rating, tmp_path):
    row = rating(score=7)
    path = tmp_path / "j.csv"
    cells = ["1", "1", "m", '"[""j"", ""single-v1""]"', "7", '"Seen 1/1. Rating: [[7]]"']
    path.write_text("question_id,turn,model,judge,score,judgment\n" + ",".join(cells) + "\n")
    own = read_judgements(read_rows(path)).judgements
    other = tmp_path / "j.jsonl"
    other.write_text(json.dumps(row) + "\n")
    assert own == read_judgements(read_rows(other)).judgements


def match(g1="model_1", g2="model_1", **more):
    return {
        "question_id": 1,
        "turn": 1,
        "model_1": "x",
        "model_2": "y",
        "judge": ["j", "pair-v2"],
        "g1_winner": g1,
        "g2_winner": g2,
    } | more


@pytest.mark.parametrize(
    ("g1", "g2", "points"),
    [
        ("model_1", "model_1", 1.0),
        ("model_2", "model_2", 0.0),
        ("model_1", "model_2", 0.5),
        ("model_2", "model_1", 0.5),
        ("tie", "tie", 0.5),
        ("tie", "model_1", 0.5),
        ("model_1", "tie", 0.5),
        ("error", "model_1", None),
        ("tie", "error", None),
    ],
)
def test_points_of_two_games(as_rows, g1, g2, points):
    (one,), _ = read_matches(as_rows([match(g1, g2)]))
    assert one.points == points


def test_winners_are_read_again_from_the_texts(as_rows):
    good = match("model_1", "model_2", g1_judgment="[[A]]", g2_judgment="so [[A]]")
    (one,), _ = read_matches(as_rows([good]))
    assert one.winners == ("model_1", "model_2")
    bad = good | {"g2_winner": "model_1"}
    with pytest.raises(UserError, match=r"g2_winner is model_1, but the .* reads model_2"):
        read_matches(as_rows([bad]))
    (one,), _ = read_matches(as_rows([bad]), reread=True)
    assert one.winners == ("model_1", "model_2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"g1_winner": "A"}, "g1_winner must be"),
        ({"g1_winner": float("nan")}, "g1_winner must be a text"),
        ({"model_2": "x"}, "compared with itself"),
        ({"turn": "x"}, "turn must be"),
    ],
)
def test_matches_that_are_refused(as_rows, change, message):
    with pytest.raises(UserError, match=message):
        read_matches(as_rows([match() | change]))
