"""The leaderboard's figures, from its own annotations."""

import csv
import gzip
import json

import numpy as np
import pytest

from evaluation.alpaca_eval.annotator import open_annotator
from evaluation.alpaca_eval.contract import contract_of
from evaluation.alpaca_eval.files import score_files
from evaluation.alpaca_eval.glm_files import published, read_difficulty, read_weights
from evaluation.data.files import BenchmarkFiles
from mnpo.judging.calls import Reply

pytestmark = pytest.mark.shared_data
LC = "length_controlled_win_rate"


@pytest.fixture(scope="module")
def folder(shared_data):
    return (
        shared_data / "alpaca_eval"
        if (shared_data / "alpaca_eval").is_dir()
        else (shared_data / "data" / "alpaca_eval")
    )


@pytest.fixture(scope="module")
def expected(folder):
    with (folder / "expected.csv").open() as file:
        return {row["model"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def scores(folder, expected):
    return score_files(
        [folder / "annotations"],
        [folder / "outputs"],
        folder / "reference_gpt4_1106_preview.jsonl.gz",
        glm=folder / "glm",
        allow_missing=True,
        replicates=200,
    )


def test_all_models_are_there(scores, expected):
    assert {own.model for own in scores.models} == set(expected)
    assert {own.model: own.n for own in scores.models} == {
        model: int(row["n_annotations"]) for model, row in expected.items()
    }


def test_win_rates_to_the_digit(scores, expected):
    for own in scores.models:
        row = expected[own.model]
        assert own.metrics["win_rate"].value == pytest.approx(
            float(row["published_win_rate"]), abs=1e-9
        )
        assert own.metrics["discrete_win_rate"].value == pytest.approx(
            float(row["published_discrete_win_rate"]), abs=1e-9
        )
        assert own.details["official_standard_error"]["win_rate"] == pytest.approx(
            float(row["published_standard_error"]), abs=1e-9
        )


def test_length_control_by_full_refit(scores, expected):
    """To 1e-6 where cross-validation chooses the published C: for all but vicuna-13b-v1.5."""
    off = {
        own.model: own.metrics[LC].value - float(expected[own.model]["published_lc_win_rate"])
        for own in scores.models
    }
    assert max(map(abs, off.values())) < 0.16
    assert [model for model, own in off.items() if abs(own) > 1e-6] == ["vicuna-13b-v1.5"]


def test_the_published_value_is_on_the_path_over_the_grid(scores, expected):
    """Also of the model whose C is chosen otherwise: the right one is in the reported path."""
    for own in scores.models:
        wanted = float(expected[own.model]["published_lc_win_rate"])
        path = own.details["length_control"]["value_by_C"]
        assert min(abs(value - wanted) for value in path) < 1e-6


def test_the_incomplete_model(scores):
    """The board's figure, by position, and beside it the one by each row's own instruction."""
    own = next(own for own in scores.models if own.model == "text_davinci_001")
    true = own.metrics[f"{LC}/true_index"]
    assert own.official[LC].value == own.score.value
    assert own.score.value == pytest.approx(9.0257, abs=1e-4)
    assert true.value == pytest.approx(6.48, abs=0.01)
    assert any("9.03" in flag and "6.48" in flag for flag in own.flags)
    vicuna = next(own for own in scores.models if own.model == "vicuna-13b-v1.5").score.value
    (pair,) = [
        pair
        for pair in scores.comparisons
        if {pair.first, pair.second} == {own.model, "vicuna-13b-v1.5"}
    ]
    sign = 1 if pair.first == own.model else -1
    assert sign * pair.difference.value == pytest.approx(true.value - vicuna, abs=1e-9)


def test_a_file_without_its_first_row(folder, tmp_path, expected):
    """One row less moves the figure by what one row can, and the official one by much more."""
    with gzip.open(folder / "annotations" / "claude-2.1.jsonl.gz", "rt") as file:
        lines = file.readlines()
    path = tmp_path / "claude.jsonl"
    path.write_text("".join(lines[1:]))
    (own,) = score_files(
        [path],
        [folder / "outputs" / "claude-2.1.jsonl.gz"],
        folder / "reference_gpt4_1106_preview.jsonl.gz",
        glm=folder / "glm",
        allow_missing=True,
        replicates=50,
    ).models
    whole = float(expected["claude-2.1"]["published_lc_win_rate"])
    assert own.score.value == pytest.approx(whole, abs=0.1)
    assert own.score.low < whole < own.score.high
    assert own.official[LC].value > whole + 4
    assert f"{LC}/true_index" not in own.metrics


def test_published_weights(folder, scores):
    difficulty = read_difficulty(folder / "glm" / "instruction_difficulty_recovered.csv")
    weights = read_weights(folder / "glm" / "published_glm_weights.csv")
    with (folder / "leaderboard_weighted_alpaca_eval_gpt4_turbo.csv").open() as file:
        board = {row[""]: float(row["length_controlled_winrate"]) for row in csv.DictReader(file)}
    off = {
        model: abs(published(weights[model], difficulty) - value)
        for model, value in board.items()
        if model in weights
    }
    assert len(off) > 180
    inexact = [own for own in off.values() if own > 1e-6]
    assert len(inexact) <= 10  # incomplete annotations, or weights of another fit
    assert max(inexact) < 0.2
    for own in scores.models:
        found = own.official[f"{LC}/published_weights"].value
        assert found == pytest.approx(published(weights[own.model], difficulty), abs=1e-12)


def test_length_intervals_are_wider_than_the_official_error_says(scores):
    """The official standard error is of predictions on fixed weights; intervals cover twice it."""
    for own in scores.models:
        low, high = own.score.low, own.score.high
        assert low < own.score.value < high
        if own.missing == 0:
            official = own.details["official_standard_error"][LC]
            assert (high - low) / (2 * 1.96) > 1.3 * official


def test_lengths(scores, expected):
    for own in scores.models:
        if own.missing == 0:
            assert int(own.details["average_length"]) == int(
                expected[own.model]["published_avg_length"]
            )


def test_preferences_are_read_from_the_judges_log_probabilities(folder, expected):
    contract = contract_of(
        open_annotator("weighted_alpaca_eval_gpt4_turbo", BenchmarkFiles("alpaca-eval", {}))
    )
    checked = 0
    for model in expected:
        with gzip.open(folder / "annotations" / f"{model}.jsonl.gz", "rt") as file:
            for row in map(json.loads, file):
                tokens = row["judge_first_token_top_logprobs"]
                if not tokens or row["preference"] in (0, 1.5):
                    continue
                reply = Reply("m", first_token=tuple((t, lp) for t, lp in tokens))
                found = contract.read(reply)["preference"]
                # Which output was shown first is not recorded.
                assert np.isclose([found, 3 - found], row["preference"], atol=1e-8).any()
                checked += 1
    assert checked > 4000


def test_the_judges_files_are_read_alike(folder):
    roles = {
        "judge_prompt": folder / "judge" / "alpaca_eval_clf.txt",
        "judge_config": folder / "judge" / "weighted_alpaca_eval_gpt4_turbo.json",
    }
    name = "weighted_alpaca_eval_gpt4_turbo"
    own = open_annotator(name, BenchmarkFiles("alpaca-eval", roles))
    assert own == open_annotator(name, BenchmarkFiles("alpaca-eval", {}))
