"""A whole evaluation of given answers under an oracle: files, resuming, failures, stopping."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from evaluation.judges.settings import read_judge
from evaluation.mini.benchmark import open_benchmark
from evaluation.mt_bench.contracts import RatingContract
from evaluation.suite.fitness import require_fit
from evaluation.suite.loading import load_settings
from evaluation.suite.placeholders import placeholders
from evaluation.suite.run import plan_evaluation, run_evaluation
from evaluation.suite.settings import EvaluationSettings
from mnpo.errors import InvalidSetting, UserError

RULE = {"kind": "oracle", "oracle": {"kind": "rule", "rule": "brevity", "target": 20}}
OTHER = {**RULE, "name": "other", "oracle": {**RULE["oracle"], "target": 60}}


RULE_SPEC = read_judge(RULE)


@pytest.fixture
def outputs(tmp_path):
    """Answers of two models to the mini-benchmark: 20 words and 70."""
    files = []
    for name, words in (("short", 20), ("long", 70)):
        rows = [
            {"question_id": q.id, "model_id": name, "output": f"{i} " + "word " * (words - 1)}
            for i, q in enumerate(open_benchmark().questions())
        ]
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(f"{name}={file}")
    return files


def settings(outputs, **changes):
    return load_settings(None, [], outputs, {"benchmarks": ["mini"], "judges": [RULE], **changes})


def test_figures_reach_every_file(outputs, tmp_path) -> None:
    result = run_evaluation(settings(outputs), tmp_path / "run")
    assert not result.failures
    (scores,) = result.scores
    short, long = scores.models
    assert short.score.value > 50 > long.score.value
    whole = json.loads((tmp_path / "run" / "results.json").read_text())
    assert whole["results"][0]["models"]["short"]["score"] == short.score.value
    rows = list(csv.DictReader((tmp_path / "run" / "results.csv").open()))
    found = {(row["algorithm"], row["metric"]): row for row in rows}
    assert float(found["short", "win_rate"]["value"]) == short.score.value
    assert found["short", "win_rate"]["run"] == "run"
    hashes = json.loads(found["short", "win_rate"]["hashes"])
    assert {"judge", "answers to mini", "questions"} <= hashes.keys()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert any("results.json" in name for name in manifest["outputs"])
    assert manifest["inputs"].keys() >= {"answers of short to mini"}


def test_a_second_run_asks_nobody(outputs, tmp_path) -> None:
    first = run_evaluation(settings(outputs), tmp_path / "run")
    assert any("requests" in line for line in first.spend)
    again = run_evaluation(settings(outputs), tmp_path / "run")
    assert again.spend == ()
    assert again.scores == first.scores


def test_the_plan_counts_what_is_known(outputs, tmp_path) -> None:
    plan = plan_evaluation(settings(outputs), tmp_path / "run")
    (own,) = plan.judging.values()
    assert (own.calls, own.cached) == (160, 0)
    assert not (tmp_path / "run").exists()
    run_evaluation(settings(outputs), tmp_path / "run")
    (own,) = plan_evaluation(settings(outputs), tmp_path / "run").judging.values()
    assert (own.calls, own.cached) == (160, 160)


def test_several_judges_and_their_agreement(outputs, tmp_path) -> None:
    result = run_evaluation(settings(outputs, judges=[RULE, OTHER]), tmp_path / "run")
    assert [own.judge for own in result.scores][1] == "other"
    found = json.loads((tmp_path / "run" / "mini-v1" / "agreement.json").read_text())
    assert found["krippendorff_alpha"]["nominal"]["value"] < 0.5
    assert set(found["judges"]) == {own.judge for own in result.scores}


def test_cross_play_of_the_same_answers(outputs, tmp_path) -> None:
    both = settings(outputs).model_copy(update={"benchmarks": ("mini", "cross-play")})
    result = run_evaluation(both, tmp_path / "run")
    pool = result.scores[1]
    assert pool.benchmark == "cross-play"
    assert pool.models[0].score.value > 90
    assert list((tmp_path / "run" / "cross-play").glob("*/crossplay.csv"))
    found = json.loads((tmp_path / "run" / "cross-play" / "agreement.json").read_text())
    assert found["judges"][pool.judge]["position"]["value"] == pytest.approx(0, abs=1e-9)


def test_missing_answers_are_refused_or_counted(outputs, tmp_path) -> None:
    file = tmp_path / "short.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    result = run_evaluation(settings(outputs), tmp_path / "run")
    assert "--allow-missing" in result.failures[0]
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "failed"
    allowed = run_evaluation(settings(outputs, allow_missing=True), tmp_path / "run")
    assert not allowed.failures
    assert (allowed.scores[0].models[0].n, allowed.scores[0].models[0].missing) == (39, 1)


def test_other_answers_are_another_run(outputs, tmp_path) -> None:
    run_evaluation(settings(outputs), tmp_path / "run")
    file = tmp_path / "short.jsonl"
    file.write_text(file.read_text().replace("word", "verb"))
    with pytest.raises(UserError, match="the file has changed since"):
        run_evaluation(settings(outputs), tmp_path / "run")
    run_evaluation(settings(outputs), tmp_path / "run", overwrite=True)


def test_asking_stops_when_the_interval_is_narrow(outputs, tmp_path) -> None:
    result = run_evaluation(settings(outputs, stop_width=60.0), tmp_path / "run")
    (scores,) = result.scores
    assert any("asking stopped after" in note for note in scores.notes)
    assert scores.models[0].n < 40
    assert scores.models[0].missing == 0


def test_given_answers_may_be_more_than_the_limit(outputs, tmp_path) -> None:
    (scores,) = run_evaluation(settings(outputs, limit=8), tmp_path / "run").scores
    assert [(own.n, own.missing) for own in scores.models] == [(8, 0), (8, 0)]


def test_a_judge_must_be_named(outputs) -> None:
    chosen = settings(outputs, judges=None).model_copy(update={"benchmarks": ("mt-bench",)})
    with pytest.raises(UserError):
        plan_evaluation(chosen, Path("nowhere"))


def test_secrets_are_not_written_down(outputs, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-abcdefghij0123456789")
    judge = {**RULE, "name": "sk-abcdefghij0123456789"}
    with pytest.raises(InvalidSetting, match="SOME_API_KEY"):
        run_evaluation(settings(outputs, judges=[judge]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "where", [{"name": "hush-hush-1234"}, {"extra_body": {"user": ["a hush-hush-1234 b"]}}]
)
def test_the_key_of_a_judge_is_not_written_down_elsewhere(
    outputs, tmp_path, monkeypatch, where
) -> None:
    monkeypatch.setenv("JUDGE_ACCESS", " hush-hush-1234\n")
    judge = {"kind": "endpoint", "model": "m", "url": "http://127.0.0.1:9/v1"}
    judge |= {"api_key_env": "JUDGE_ACCESS", **where}
    with pytest.raises(InvalidSetting, match="JUDGE_ACCESS") as caught:
        run_evaluation(settings(outputs, judges=[judge]), tmp_path / "run")
    assert "hush" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_what_looks_like_a_key_is_not_written_down(outputs, tmp_path) -> None:
    judge = {**RULE, "name": "sk-abcdefghij0123456789"}
    with pytest.raises(InvalidSetting, match="looks like a key") as caught:
        run_evaluation(settings(outputs, judges=[judge]), tmp_path / "run")
    assert "abcdefghij" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_repeats_have_a_bound(outputs) -> None:
    with pytest.raises(InvalidSetting, match="repeats must be at most 100"):
        settings(outputs, repeats=101)


@pytest.mark.parametrize("name", ["../../escape", "a/b", "..", "x\x00y", "con\nname"])
def test_names_of_models_cannot_leave_the_folder(outputs, tmp_path, name) -> None:
    chosen = settings(outputs).model_dump(mode="json")
    chosen["models"][0]["name"] = name
    before = {p for p in tmp_path.parent.rglob("*") if (tmp_path / "run") not in p.parents}
    run_evaluation(EvaluationSettings.model_validate(chosen), tmp_path / "run")
    after = {p for p in tmp_path.parent.rglob("*") if (tmp_path / "run") not in p.parents}
    assert after - before <= {tmp_path / "run"}


def test_a_judge_that_cannot_answer_is_refused_before_anything() -> None:
    call = next(iter(open_benchmark().calls(placeholders("m", open_benchmark().questions(), 1))))
    require_fit(RULE_SPEC, "rule", "mini", [call])
    with pytest.raises(InvalidSetting, match="mini: judge 'rule' cannot answer it: an oracle"):
        require_fit(RULE_SPEC, "rule", "mini", [replace(call, comparison=None)])
    with pytest.raises(InvalidSetting, match="cannot answer it: a preference is no rating"):
        require_fit(RULE_SPEC, "rule", "mt-bench", [replace(call, contract=RatingContract())])
    local = read_judge("{kind: local-model, model: tiny}")
    nothing = type("Free", (RatingContract,), {"choices": ()})()
    with pytest.raises(InvalidSetting, match="give it reads: text"):
        require_fit(local, "tiny", "x", [replace(call, contract=nothing)])


def test_a_finished_run_keeps_its_results_when_nothing_can_be_scored(outputs, tmp_path) -> None:
    run_evaluation(settings(outputs), tmp_path / "run")
    before = (tmp_path / "run" / "results.json").read_bytes()
    (tmp_path / "run" / "judge-answers.sqlite").write_bytes(b"damaged" * 99)
    with pytest.raises(UserError, match=r"judge-answers\.sqlite"):
        run_evaluation(settings(outputs), tmp_path / "run")
    assert (tmp_path / "run" / "results.json").read_bytes() == before


def test_one_process_at_a_time_in_a_folder(outputs, tmp_path) -> None:
    run_evaluation(settings(outputs), tmp_path / "run")
    with (
        FileLock(str(tmp_path / "run" / ".lock")),
        pytest.raises(UserError, match="another process is evaluating"),
    ):
        run_evaluation(settings(outputs), tmp_path / "run")


def test_half_a_character_in_given_answers_stops_nothing(outputs, tmp_path) -> None:
    file = Path(outputs[0].partition("=")[2])
    rows = [json.loads(line) for line in file.open()]
    rows[3]["output"] += " \ud83d"
    for own in rows:
        own["model_id"] = "short\udfff"
    file.write_text("".join(json.dumps(own) + "\n" for own in rows))
    result = run_evaluation(settings(outputs), tmp_path / "run")
    assert not result.failures
    assert result.scores[0].models[0].missing == 0
    written = [path for path in (tmp_path / "run").rglob("*.jsonl") if path.is_file()]
    assert any("\ufffd" in path.read_text("utf-8") for path in written)
