import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.arena_hard.answers_file import StoredAnswer
from evaluation.arena_hard.battles_file import read_battles
from evaluation.arena_hard.files import score_files
from evaluation.arena_hard.judged import Collected, Judged
from evaluation.arena_hard.plain import official_v01, official_v20, win_rate
from evaluation.arena_hard.questions_file import ArenaQuestion, read_questions
from evaluation.arena_hard.scoring import score_verdicts
from evaluation.arena_hard.style import Style
from evaluation.arena_hard.table import tabulate
from evaluation.arena_hard.verdicts import Grade
from evaluation.arena_hard.versions import VERSIONS
from mnpo.errors import InvalidSetting, UserError

V01, V20 = VERSIONS["v0.1"], VERSIONS["v2.0"]
WON, LOST, TIED = Grade(1.0, False), Grade(0.0, False), Grade(0.5, False)
CLEARLY = Grade(1.0, True)


def record(question, first, second, model="m", category="arena-hard-v0.1", baseline=None):
    against = baseline or ({**V01.categories, **V20.categories}[category].baseline)
    return Judged(model, question, category, against, (first, second), f"row {question}")


def asked(questions_file, count, **options):
    version = V20 if options.get("category", "arena-hard-v0.1") != "arena-hard-v0.1" else V01
    return read_questions(questions_file([f"q{i}" for i in range(count)], **options), version)


def test_by_hand(questions_file) -> None:
    judged = [record("q0", CLEARLY, LOST), record("q1", WON, TIED)]
    scores = score_verdicts(Collected(tuple(judged)), V01, questions=asked(questions_file, 2))
    (own,) = scores.models
    assert own.score.value == pytest.approx(100 * 4.5 / 6)  # 3 + 0, 1 + 0.5 of 4 + 2 battles
    assert own.metrics["win_rate"].value == pytest.approx(100 * 4.5 / 6)
    assert own.metrics["unweighted_win_rate"].value == pytest.approx(100 * 2.5 / 4)
    assert (own.n, own.missing) == (2, 0)
    assert own.details["verdicts"]["arena-hard-v0.1"] == {
        "won": 2,
        "won_clearly": 1,
        "tied": 1,
        "lost": 1,
        "lost_clearly": 0,
    }
    described = scores.describe()["models"]["m"]
    assert described["win_rate"] == described["score"] == pytest.approx(75.0)


@pytest.mark.shared_data
def test_published_gpt_35_turbo(shared_data) -> None:
    folder = shared_data / "data/arena_hard/v0.1"
    battles = folder / "battles_official_judge/gpt-3.5-turbo-0125.csv.gz"
    scores = score_files("v0.1", battles=[battles], questions=folder / "question.jsonl.gz")
    (own,) = scores.models
    assert round(own.score.value, 2) == 23.34
    assert own.official["score"].value == pytest.approx(own.score.value)
    with (folder / "leaderboard_20240731.csv").open() as file:
        published = next(r for r in csv.DictReader(file) if r["model"] == own.model)
    assert float(published["score"]) == round(own.score.value, 2)
    # The published bootstrap had no seed; the ends of 100 rounds wander by about 0.3.
    seeded = [
        score_files("v0.1", battles=[battles], seed=seed).models[0].official["score"]
        for seed in range(10)
    ]
    for ours, theirs in (("low", "rating_q025"), ("high", "rating_q975")):
        mean = np.mean([getattr(official, ours) for official in seeded])
        assert mean == pytest.approx(float(published[theirs]), abs=0.7)
    ratio = (own.score.high - own.score.low) / (
        own.official["score"].high - own.official["score"].low
    )
    assert 1.3 < ratio < 2.2  # the official interval takes copies of a verdict for verdicts


@pytest.mark.shared_data
def test_published_models_of_another_judge(shared_data) -> None:
    folder = shared_data / "data/arena_hard/v0.1"
    battles = folder / "battles_gpt4o_judge/battles.csv.gz"
    with pytest.raises(
        UserError,
        match=r"llama3_1_70b_awq4: 4 of 500 whole verdicts are missing: 3 \(no verdict\), "
        r"1 \(in one order only\); .*llama3_1_70b_fp8: 1 of 500 .* --allow-missing",
    ):
        score_files("v0.1", battles=[battles])
    scores = score_files("v0.1", battles=[battles], allow_missing=True)
    found = {own.model: own for own in scores.models}
    with (folder / "battles_gpt4o_judge/leaderboard_20240806.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert found.keys() == rows.keys()
    for model, row in rows.items():
        assert round(found[model].score.value, 2) == float(row["score"])
        for ours, theirs in (("low", "rating_q025"), ("high", "rating_q975")):
            official = getattr(found[model].official["score"], ours)
            assert official == pytest.approx(float(row[theirs]), abs=1.0)
    assert (found["llama3_1_70b_awq4"].n, found["llama3_1_70b_awq4"].missing) == (497, 3)
    assert found["llama3_1_70b_fp8"].flags == (
        "questions with a verdict in one order only: 1, scored with that one",
    )
    assert len(scores.comparisons) == 28
    kept = scores.settings["separability"]["score"]
    assert kept["official"]["separated"] > kept["clustered"]["separated"]


def test_499_of_500_is_said_and_scored_only_when_allowed() -> None:
    judged = Collected(tuple(record(f"q{i}", WON, LOST) for i in range(499)))
    with pytest.raises(UserError, match=r"m: 1 of 500 .*: 1 \(no verdict\); --allow-mis"):
        score_verdicts(judged, V01)
    (own,) = score_verdicts(judged, V01, allow_missing=True).models
    assert (own.n, own.missing) == (499, 1)
    with pytest.raises(UserError, match="has 500 questions, the verdicts are on 501"):
        score_verdicts(Collected(tuple(record(f"q{i}", WON, LOST) for i in range(501))), V01)


def test_one_order_only_counts_in_v01_and_not_in_v20(questions_file) -> None:
    judged = [record("q0", WON, LOST), record("q1", WON, None)]
    (own,) = score_verdicts(
        Collected(tuple(judged)), V01, questions=asked(questions_file, 2), allow_missing=True
    ).models
    assert own.score.value == pytest.approx(200 / 3)
    assert (own.n, own.missing) == (2, 0)
    hard = {"category": "hard_prompt"}
    judged = [record("q0", WON, LOST, **hard), record("q1", WON, None, **hard)]
    (own,) = score_verdicts(
        Collected(tuple(judged)),
        V20,
        questions=asked(questions_file, 2, **hard),
        allow_missing=True,
    ).models
    assert own.score.value == pytest.approx(50.0)
    assert (own.n, own.missing) == (1, 1)
    assert "left out" in own.flags[0]


def test_v20_has_a_score_for_each_category_and_subcategory(questions_file) -> None:
    hard = asked(questions_file, 4, category="hard_prompt", parts=["coding", "math"])
    creative = read_questions(questions_file(["c0", "c1"], category="creative_writing"), V20)
    judged = [
        *(record(f"q{i}", WON, [WON, LOST][i % 2], category="hard_prompt") for i in range(4)),
        *(record(f"c{i}", LOST, TIED, category="creative_writing") for i in range(2)),
    ]
    scores = score_verdicts(Collected(tuple(judged)), V20, questions=hard + creative)
    (own,) = scores.models
    values = {name: found.value for name, found in own.metrics.items()}
    assert values["score"] == values["score/hard_prompt"] == values["win_rate"] == 75.0
    assert values["score/creative_writing"] == 25.0
    assert values["score/hard_prompt/coding"] == 100.0
    assert values["score/hard_prompt/math"] == 50.0
    assert (own.n, own.missing) == (4, 0)  # of the category that the score is of
    assert (own.details["questions"], own.details["questions_scored"]) == (6, 6)
    rows = {row.metric: row.interval for row in scores.results("run")}
    assert rows["official/score"].clusters == rows["score"].clusters == 4
    assert rows["official/score/creative_writing"].clusters == 2
    assert scores.settings["baselines"] == {
        "hard_prompt": "o3-mini-2025-01-31",
        "creative_writing": "gemini-2.0-flash-001",
    }
    assert "score is that of hard_prompt" in scores.notes
    alone = score_verdicts(Collected(tuple(judged[:4])), V20, questions=hard + creative)
    assert "creative_writing: no verdicts, not scored" in alone.notes
    assert alone.models[0].missing == 0


def test_gaps_of_another_category_are_not_missing_from_the_score(questions_file) -> None:
    hard = asked(questions_file, 2, category="hard_prompt")
    creative = read_questions(questions_file(["c0", "c1"], category="creative_writing"), V20)
    judged = [
        *(record(f"q{i}", WON, LOST, category="hard_prompt") for i in range(2)),
        record("c0", LOST, TIED, category="creative_writing"),
    ]
    (own,) = score_verdicts(
        Collected(tuple(judged)), V20, questions=hard + creative, allow_missing=True
    ).models
    assert (own.n, own.missing) == (2, 0)
    assert (own.details["questions"], own.details["questions_scored"]) == (4, 3)
    assert own.details["questions_without_verdict"] == 1


def test_a_model_without_any_verdict_has_no_score(questions_file) -> None:
    judged = [record("q0", WON, LOST), record("q0", None, None, model="silent")]
    with pytest.raises(UserError, match="silent: no verdict"):
        score_verdicts(
            Collected(tuple(judged)), V01, questions=asked(questions_file, 1), allow_missing=True
        )


@pytest.mark.parametrize(
    ("judged", "says"),
    [
        ([record("q0", WON, LOST), record("q1", WON, LOST, baseline="x")], "has two baselines, "),
        (
            [record("q0", WON, LOST), record("zzz", WON, LOST)],
            "question zzz is none of arena-hard-v0",
        ),
        ([record("q0", WON, LOST, model="gpt-4-0314")], "is compared with itself"),
    ],
)
def test_records_that_do_not_fit_are_refused(questions_file, judged, says) -> None:
    with pytest.raises(UserError, match=says):
        score_verdicts(
            Collected(tuple(judged)), V01, questions=asked(questions_file, 2), allow_missing=True
        )


def test_another_baseline_is_said(questions_file) -> None:
    judged = [record("q0", WON, LOST, baseline="ours")]
    scores = score_verdicts(Collected(tuple(judged)), V01, questions=asked(questions_file, 1))
    assert "compared with ours, the official baseline is gpt-4-0314" in scores.notes[0]


def test_the_official_interval_of_v20_takes_rows_for_independent(arena, table_of) -> None:
    table = table_of(arena(models=2, questions=300, category="hard_prompt"))
    for i, official in enumerate(official_v20(table, seed=4).values()):
        rows = np.repeat([0, 50, 100], table.battles[i].sum(axis=0))
        error = rows.std() / np.sqrt(len(rows))
        assert official.value == pytest.approx(rows.mean(), abs=0.5 * error)
        # 5 and 95 percentiles: 1.645 standard errors on either side.
        assert official.high - official.low == pytest.approx(2 * 1.645 * error, rel=0.3)


def test_the_mean_of_groups_drawn_naively_is_the_official_value_of_v20(arena, table_of) -> None:
    import pandas as pd

    table = table_of(arena(models=3, questions=60, category="hard_prompt"))
    rows = pd.DataFrame(
        [
            (model, k / 2)
            for m, model in enumerate(table.models)
            for k, times in enumerate(table.battles[m].sum(axis=0))
            for _ in range(times)
        ],
        columns=["model", "scores"],
    )
    draws = pd.concat(
        rows.groupby("model").sample(frac=1.0, replace=True, random_state=i).groupby("model").mean()
        for i in range(400)
    ).groupby("model")["scores"]
    for model, official in official_v20(table, seed=1).items():
        assert official.value == pytest.approx(100 * draws.mean()[model], abs=0.8)
        assert official.low == pytest.approx(100 * draws.quantile(0.05)[model], abs=2.0)
        assert official.high == pytest.approx(100 * draws.quantile(0.95)[model], abs=2.0)


def test_clustered_intervals_cover_and_official_ones_do_not(arena, table_of) -> None:
    tables = [table_of(arena(models=1, questions=80, seed=seed)) for seed in range(150)]
    battles = np.sum([t.battles for t in tables], axis=(0, 1, 2))
    truth = 100 * battles @ [0, 0.5, 1] / battles.sum()
    ours, official = 0, 0
    for table in tables:
        interval = win_rate(table.battles[0])
        ours += interval.low < truth < interval.high
        found = official_v01(table, seed=0)["m0"]
        official += found.low < truth < found.high
    assert ours >= 0.90 * len(tables)
    assert official <= 0.82 * len(tables)


def test_comparisons_are_paired_and_corrected(arena, collected, questions_file) -> None:
    judged = arena(models=3, questions=100)
    scores = score_verdicts(collected(judged), V01, questions=asked(questions_file, 100))
    values = {own.model: own.score.value for own in scores.models}
    assert len(scores.comparisons) == 3
    for own in scores.comparisons:
        assert own.difference.value == pytest.approx(values[own.first] - values[own.second])
        assert own.difference.clusters == 100
        assert own.p_value <= own.adjusted <= 1.0
    wide = max(scores.comparisons, key=lambda own: abs(own.difference.value))
    assert wide.adjusted < 0.001


def test_a_paired_difference_is_narrower_than_two_intervals(collected, questions_file) -> None:
    rng = np.random.default_rng(0)
    judged = []
    for i in range(200):  # both models find the same questions easy
        easy = rng.random() < 0.5
        for model, slips in (("a", 0.02), ("b", 0.08)):
            won = easy != (rng.random() < slips)
            judged.append(record(f"q{i}", WON if won else LOST, WON if won else LOST, model=model))
    scores = score_verdicts(collected(judged), V01, questions=asked(questions_file, 200))
    (own,) = scores.comparisons
    a, _ = (m.score for m in scores.models)
    assert own.difference.high - own.difference.low < 0.7 * (a.high - a.low)


def test_the_same_seed_gives_the_same_file(arena, collected, questions_file) -> None:
    questions = asked(questions_file, 40)
    one, two, other = (
        score_verdicts(collected(arena()), V01, questions=questions, seed=seed).json()
        for seed in (0, 0, 1)
    )
    assert one == two != other
    assert json.loads(one)["models"]["m0"]["official"]["score"]["rule"].endswith("seed 0")


def test_files_of_one_kind_only(tmp_path) -> None:
    with pytest.raises(InvalidSetting, match="either --battles or --judgments"):
        score_files("v0.1")
    with pytest.raises(InvalidSetting, match="has no version 'v3'"):
        score_files("v3", battles=[tmp_path / "x.csv"])
    with pytest.raises(InvalidSetting, match="battles have no texts"):
        score_files("v0.1", battles=[tmp_path / "x.csv"], config=tmp_path / "c.json")
    with pytest.raises(UserError, match="given twice"):
        score_files("v0.1", battles=[tmp_path / "x.csv"] * 2)


@pytest.mark.shared_data
def test_style_control_of_v01_on_real_answers(shared_data, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.arena_hard.style_control.REPLICATES", 50)
    folder = shared_data / "data/arena_hard/v0.1"
    scores = score_files(
        "v0.1",
        battles=[folder / "battles_official_judge/gpt-3.5-turbo-0125.csv.gz"],
        answers=[
            folder / "answers/gpt-3.5-turbo-0125.jsonl.gz",
            folder / "answers/gpt-4-0314.jsonl.gz",
        ],
    )
    (own,) = scores.models
    controlled = own.metrics["style_controlled_score"]
    assert controlled.low < controlled.value < controlled.high
    # Fitted alone, a model is compared at its own mean style: the figure hardly moves.
    assert controlled.value == pytest.approx(own.score.value, abs=2.0)
    assert not any("tokens were counted" in note for note in scores.notes)


def test_a_judge_among_the_judged_is_flagged(questions_file) -> None:
    judged = Collected((record("q0", WON, LOST), record("q0", WON, WON, model="j")), judge="j")
    scores = score_verdicts(judged, V01, questions=asked(questions_file, 1))
    assert [bool(own.flags) for own in scores.models] == [False, True]


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr("evaluation.arena_hard.style_control.REPLICATES", 20)
    monkeypatch.setattr("evaluation.arena_hard.style_control.ROUNDS", 20)


verdict = st.sampled_from([None, WON, LOST, TIED, CLEARLY, Grade(0.0, True)])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    version=st.sampled_from(["v0.1", "v2.0"]),
    games=st.lists(
        st.lists(st.tuples(verdict, verdict), min_size=3, max_size=3), min_size=1, max_size=3
    ),
    seed=st.integers(0, 99),
)
def test_whatever_the_verdicts_the_figures_are_numbers_or_absent(
    version, games, seed, few_draws
) -> None:
    category = "hard_prompt" if version == "v2.0" else "arena-hard-v0.1"
    judged = [
        record(f"q{q}", *pair, model=f"m{m}", category=category)
        for m, own in enumerate(games)
        for q, pair in enumerate(own)
    ]
    rng = np.random.default_rng(seed)
    names = [*(f"m{m}" for m in range(len(games))), judged[0].baseline]
    answers = {
        name: {f"q{q}": StoredAnswer("", Style(*rng.integers(0, 4, 4).tolist())) for q in range(3)}
        for name in names
    }

    def score():
        return score_verdicts(
            Collected(tuple(judged)),
            VERSIONS[version],
            questions=[ArenaQuestion(f"q{q}", category, "", "?", True) for q in range(3)],
            answers=answers,
            allow_missing=True,
        )

    scored = [[len([g for g in pair if g]) > (version == "v2.0") for pair in own] for own in games]
    if not all(map(any, scored)):
        with pytest.raises(UserError, match="no verdict in"):
            score()
        return
    scores = score()
    described = json.loads(scores.json())  # refuses NaN
    for name, own in described["models"].items():
        assert own["n"] == sum(scored[int(name[1:])])
        assert own["missing"] == 3 - own["n"]
        for found in own["metrics"].values():
            assert 0 <= found["value"] <= 100
            if found["low"] is not None:
                assert 0 <= found["low"] <= found["high"] <= 100


@pytest.mark.shared_data
def test_coverage_where_real_questions_are_the_population(shared_data) -> None:
    """Benchmarks of 500 questions drawn from real ones: the intervals of docs/benchmarks."""
    path = shared_data / "data/arena_hard/v0.1/battles_official_judge/gpt-3.5-turbo-0125.csv.gz"
    judged = read_battles([path], V01).judged
    population = tabulate(
        judged,
        category="arena-hard-v0.1",
        baseline="gpt-4-0314",
        models=["gpt-3.5-turbo-0125"],
        questions=[own.question for own in judged],
    )
    truth = win_rate(population.battles[0]).value
    rng = np.random.default_rng(0)
    ours = official = 0
    draws = 400
    for i in range(draws):
        at = rng.integers(500, size=500)
        drawn = replace(
            population, battles=population.battles[:, at], games=population.games[:, at]
        )
        own, theirs = win_rate(drawn.battles[0]), official_v01(drawn, seed=i)[judged[0].model]
        ours += own.low < truth < own.high
        official += theirs.low < truth < theirs.high
    assert 0.93 <= ours / draws <= 0.97
    assert official / draws < 0.80
