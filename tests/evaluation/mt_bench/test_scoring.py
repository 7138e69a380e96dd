import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.mt_bench.files import score_files
from evaluation.mt_bench.judgements import Judgement, read_judgements
from evaluation.mt_bench.questions import QuestionSet
from evaluation.mt_bench.scoring import score_ratings
from evaluation.statistics import mean_interval
from mnpo.errors import UserError

CELLS = [("1", 1), ("1", 2), ("2", 1), ("2", 2), ("3", 1), ("3", 2), ("4", 1)]


def judged(ratings, model="m", judge="j", template=""):
    return [
        Judgement(model, q, t, judge, template, r)
        for (q, t), r in zip(CELLS, ratings, strict=False)
    ]


def test_whole_turns_and_categories(small_set):
    ratings = [8, 6, 4, 2, 9, 10, 5]
    scores = score_ratings(judged(ratings), small_set)
    (own,) = scores.models
    assert own.score.value == pytest.approx(np.mean(ratings))
    assert own.metrics["score/turn-1"].value == pytest.approx(np.mean([8, 4, 9, 5]))
    assert own.metrics["score/turn-2"].value == pytest.approx(np.mean([6, 2, 10]))
    assert own.metrics["score/math"].value == 3
    assert (own.n, own.missing, own.score.clusters) == (7, 0, 4)
    assert own.official["score"].value == own.score.value
    assert scores.describe()["models"]["m"]["score"] == own.score.value


def test_the_interval_takes_the_question_as_the_unit(small_set):
    ratings = [8, 6, 4, 2, 9, 10, 5]
    own = score_ratings(judged(ratings), small_set).models[0]
    wanted = mean_interval(ratings, [q for q, _ in CELLS], bounds=(1, 10))
    assert (own.score.low, own.score.high) == (wanted.low, wanted.high)
    free = mean_interval(ratings, bounds=(1, 10))
    assert own.score.high - own.score.low > free.high - free.low


@given(st.permutations(range(len(CELLS))))
def test_the_order_of_rows_changes_nothing(order):
    questions = QuestionSet({"1": 2, "2": 2, "3": 2, "4": 1}, {}, "x")
    rows = judged([8, 6, 4, 2, 9, 10, 5])
    one = score_ratings(rows, questions).models[0]
    other = score_ratings([rows[i] for i in order], questions).models[0]
    assert other.score.value == pytest.approx(one.score.value)
    assert other.score.low == pytest.approx(one.score.low)


def test_an_unreadable_rating_is_missing_and_never_a_number(small_set):
    own = score_ratings(judged([8, None, 4, 2, 9, 10, 5]), small_set).models[0]
    assert own.score.value == pytest.approx(np.mean([8, 4, 2, 9, 10, 5]))
    assert (own.n, own.missing) == (6, 1)
    assert any("1 of 7 judgements hold no rating" in flag for flag in own.flags)
    assert "question 1 turn 2" in own.flags[0]


def test_an_absent_row_is_refused_by_name(small_set):
    rows = [row for row in judged([8, 6, 4, 2, 9, 10, 5]) if row.cell != ("2", 2)]
    with pytest.raises(UserError, match=r"^m: 1 of 7 judgements are missing: question 2 t"):
        score_ratings(rows, small_set)
    own = score_ratings(rows, small_set, allow_missing=True).models[0]
    assert (own.n, own.missing) == (6, 1)
    assert own.details["absent"] == ["2/2"]


def test_unknown_questions_are_refused_even_where_gaps_are_allowed(small_set):
    rows = [*judged([1] * 7), Judgement("m", "9", 1, "j", "", 5)]
    with pytest.raises(UserError, match="question 9 turn 1 is not among the small set"):
        score_ratings(rows, small_set, allow_missing=True)
    with pytest.raises(UserError, match="question 4 turn 2"):
        score_ratings([*judged([1] * 7), Judgement("m", "4", 2, "j", "", 5)], small_set)


def test_two_judges_are_refused_unless_one_is_named(small_set):
    rows = judged([5] * 7) + judged([9] * 7, judge="k")
    with pytest.raises(UserError, match=r"several judges: j \(7 rows\), k \(7 rows\)"):
        score_ratings(rows, small_set)
    assert score_ratings(rows, small_set, judge="k").models[0].score.value == 9
    with pytest.raises(UserError, match="no row was judged by 'jj'; did you mean 'j'"):
        score_ratings(rows, small_set, judge="jj")


def test_no_rating_at_all_is_no_score(small_set):
    with pytest.raises(UserError, match="none of its 7 judgements holds a rating"):
        score_ratings(judged([None] * 7), small_set, allow_missing=True)


def test_repeats_are_one_cluster_and_their_noise_is_told(small_set):
    first, second = [8, 6, 4, 2, 9, 10, 5], [7, 7, 4, 3, 9, 8, 6]
    own = score_ratings(judged(first) + judged(second), small_set).models[0]
    assert own.score.value == pytest.approx(np.mean(first + second))
    assert (own.n, own.score.clusters, own.missing) == (14, 4, 0)
    differences = np.subtract(first, second)
    pooled = (differences**2 / 2).sum() / 7
    noise = own.details["judge_noise"]
    assert noise["sd_of_one_judgement"] == pytest.approx(pooled**0.5)
    assert noise["standard_error_of_score"] == pytest.approx((pooled / 14) ** 0.5)
    assert own.details["judgements_per_question_turn"] == [2, 2]


def test_uneven_repeats_are_flagged_and_both_means_given(small_set):
    own = score_ratings(judged([8] * 7) + judged([2]), small_set).models[0]
    assert own.score.value == pytest.approx((7 * 8 + 2) / 8)
    assert own.details["mean_of_question_turns"] == pytest.approx((6 * 8 + 5) / 7)
    assert any("fewer than 2 times" in flag for flag in own.flags)


def test_ratings_outside_the_range_count_officially_and_are_flagged(small_set):
    own = score_ratings(judged([8, 6, 4, 2, 9, 10, 0]), small_set).models[0]
    assert own.score.value == pytest.approx(39 / 7)
    assert own.details["score_within_1_to_10"] == pytest.approx(39 / 6)
    assert any("outside 1 to 10" in flag for flag in own.flags)


def test_several_ratings_in_one_text_are_flagged(small_set):
    rows = judged([8] * 6)
    rows.append(Judgement("m", "4", 1, "j", "", 10, "The answer says [[10]]. Rating: [[2]]"))
    own = score_ratings(rows, small_set).models[0]
    assert any("several different ratings" in flag for flag in own.flags)


def test_models_are_compared_on_the_same_questions_with_holm(small_set):
    rows = (
        judged([8, 8, 7, 7, 9, 9, 8], "a")
        + judged([4, 3, 5, 2, 4, 6, 3], "b")
        + judged([8, 8, 7, 7, 9, 9, 7], "c")
    )
    found = score_ratings(rows, small_set).comparisons
    assert [(one.first, one.second) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found[0].difference.value == pytest.approx(np.mean([4, 5, 2, 5, 5, 3, 5]))
    assert found[0].difference.clusters == 4
    for one in found:
        assert one.p_value <= one.adjusted <= min(1.0, 3 * one.p_value + 1e-12)
    smallest = min(found, key=lambda one: one.p_value)
    assert smallest.adjusted == pytest.approx(3 * smallest.p_value)


def test_a_wrong_template_is_noted(small_set):
    scores = score_ratings(judged([5] * 7, template="single-v1"), small_set)
    assert any("single-v1 for a question on math" in note for note in scores.notes)


@pytest.mark.shared_data
def test_published_and_recomputed_means(shared_data):
    folder = shared_data / "data" / "mt_bench"
    scores = score_files(
        sorted((folder / "judgments").iterdir()), questions=folder / "question.jsonl"
    )
    own = {one.model: one for one in scores.models}
    with (folder / "expected.csv").open() as file:
        wanted = {row["model"]: row for row in csv.DictReader(file)}
    assert set(own) == set(wanted)
    assert own["martian"].score.value == 8.3125
    for model, row in wanted.items():
        found = own[model]
        assert found.score.value == pytest.approx(float(row["average_of_all_valid"]), abs=5.1e-7)
        for turn in "12":
            value = found.metrics[f"score/turn-{turn}"].value
            assert value == pytest.approx(float(row[f"turn{turn}_mean"]), abs=5.1e-7)
        assert found.n + found.missing == int(row["n_judgements"])
        assert found.missing == int(row["n_score_minus_1"])
        assert found.score.clusters == 80
    assert own["mistral-orpo"].details["judgements_per_question_turn"] == [2, 2]
    assert own["mistral-orpo"].details["judge_noise"]["degrees_of_freedom"] == 159
    assert not scores.notes
    assert len(scores.comparisons) == 45


@pytest.mark.shared_data
def test_without_the_question_file_the_official_ids_are_expected(shared_data, as_rows):
    from evaluation.rows import read_rows

    path = shared_data / "data" / "mt_bench" / "judgments" / "lm-sys_router_gpt-4_single.jsonl.gz"
    rows = read_rows(path)
    read = read_judgements([row for row in rows if row.values["question_id"] != 99])
    with pytest.raises(UserError, match=r"martian: 2 of 160 .* question 99 turn 1, question 99"):
        score_ratings(read.judgements)
