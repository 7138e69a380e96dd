import numpy as np
import pytest

from evaluation.mt_bench.games import Match
from evaluation.mt_bench.pairwise import score_matches
from evaluation.mt_bench.questions import QuestionSet
from mnpo.errors import UserError

SET = QuestionSet({"1": 2, "2": 2}, {"1": "math", "2": "stem"}, "the set")
CELLS = SET.cells()
WIN, LOSS, TIE = ("model_1", "model_1"), ("model_2", "model_2"), ("tie", "tie")
SPLIT, ERROR = ("model_1", "model_2"), (None, "model_1")


def played(results, first="m", second="base", judge="j"):
    return [
        Match(first, second, q, t, judge, "", result)
        for (q, t), result in zip(CELLS, results, strict=True)
    ]


def test_win_rate_and_its_official_parts():
    (own,) = score_matches(played([WIN, SPLIT, LOSS, WIN]), SET, baseline="base").models
    assert own.model == "m"
    assert own.score.value == pytest.approx(62.5)
    assert own.official["win_rate"].value == pytest.approx(62.5)
    assert own.official["win_rate/without-ties"].value == 50
    assert own.official["loss_rate"].value == 25
    assert own.metrics["win_rate/math"].value == 75
    assert own.metrics["win_rate/turn-2"].value == 75
    assert (own.n, own.score.clusters) == (4, 2)


def test_against_the_official_table_by_hand():
    """FastChat's own bookkeeping, a list of wins, losses and ties, on random games."""
    rng = np.random.default_rng(0)
    options = ["model_1", "model_2", "tie"]
    matches, table = [], {}
    for first, second in (("a", "b"), ("b", "c"), ("c", "a")):
        for q, t in CELLS:
            one, other = rng.choice(options, 2)
            matches.append(Match(first, second, q, t, "j", "", (str(one), str(other))))
            for name in (first, second):
                table.setdefault(name, []).append(
                    "tie"
                    if one == "tie" or one != other
                    else "win"
                    if {"model_1": first, "model_2": second}[one] == name
                    else "loss"
                )
    for own in score_matches(matches, SET).models:
        results = table[own.model]
        wins, ties = results.count("win"), results.count("tie")
        assert own.score.value == pytest.approx(100 * (wins + ties / 2) / len(results))
        assert own.official["win_rate/without-ties"].value == pytest.approx(
            100 * wins / len(results)
        )
        assert own.score.clusters == 2


def test_who_stands_first_in_the_row_changes_nothing():
    mirrored = [
        Match("base", "m", q, t, "j", "", result)
        for (q, t), result in zip(CELLS, [LOSS, SPLIT, WIN, TIE], strict=True)
    ]
    one = score_matches(played([WIN, SPLIT, LOSS, TIE]), SET, baseline="base").models[0]
    other = score_matches(mirrored, SET, baseline="base").models[0]
    assert one.score == other.score


def test_an_error_in_one_game_is_missing_and_no_tie():
    (own,) = score_matches(played([WIN, ERROR, WIN, WIN]), SET, baseline="base").models
    assert (own.score.value, own.n, own.missing) == (100, 3, 1)
    assert any("1 of 4 matches lack a verdict" in flag for flag in own.flags)
    with pytest.raises(UserError, match="none of its 4 matches"):
        score_matches(played([ERROR] * 4), SET, baseline="base")


def test_absent_matches_are_refused():
    with pytest.raises(UserError, match="base against m: 1 of 4 matches are missing"):
        score_matches(played([WIN] * 4)[1:], SET)
    own = score_matches(played([WIN] * 4)[1:], SET, allow_missing=True, baseline="base").models[0]
    assert (own.n, own.missing) == (3, 1)


def test_a_baseline_that_is_not_there():
    with pytest.raises(UserError, match="no match is against 'bse'; did you mean 'base'"):
        score_matches(played([WIN] * 4), SET, baseline="bse")


def test_models_with_one_baseline_are_compared():
    matches = played([WIN, WIN, WIN, TIE], "a") + played([LOSS, LOSS, TIE, LOSS], "b")
    (found,) = score_matches(matches, SET, baseline="base").comparisons
    assert found.difference.value == pytest.approx(87.5 - 12.5)
    assert not score_matches(matches, SET).comparisons


def test_position_bias_is_counted():
    orders = score_matches(played([WIN, SPLIT, SPLIT, LOSS]), SET).settings["orders"]
    assert orders["orders_agree"] == 2
    assert orders["wins_of_answer_shown_first"] == 6
    assert orders["wins_of_answer_shown_second"] == 2
