"""What becomes of runs that cannot be used: the table of `leaderboards.collect.board_of_runs`."""

import json
import shutil

import pytest

from evaluation.tidy import Origin
from leaderboards.collect import collect_board
from leaderboards.options import BoardOptions
from mnpo.errors import InvalidSetting, UserError


def change(folder, file="manifest.json", **entries) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def reseal(folder, file: str, text: str) -> None:
    """Change a file and the manifest's hash of it: the run itself wrote it so."""
    import hashlib

    (folder / file).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["outputs"][file] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def reason(runs, bad, **options) -> str:
    """Why a run is left out beside a good one; alone, it is refused with the same words."""
    board = collect_board([runs.simulation("good"), bad], BoardOptions(**options))
    assert [own.key for own in board.runs] == ["good"]
    (left,) = board.left_out
    with pytest.raises(UserError) as error:
        collect_board([bad])
    assert str(error.value) in (f"{left.what} {left.why}", f"{left.what}: {left.why}")
    assert left.why.count(str(bad)) <= left.why.count(f"{bad}/")
    assert "\n" not in left.why
    return left.why


def test_what_does_not_exist_is_refused(runs) -> None:
    with pytest.raises(UserError, match="there is no"):
        collect_board([runs.simulation(), runs.root / "nothing"])


def test_no_path_at_all() -> None:
    with pytest.raises(UserError, match="nothing to put on a board"):
        collect_board([])


def test_folders_that_hold_no_run(runs) -> None:
    empty = runs.root / "empty"
    empty.mkdir()
    assert "holds no run" in reason(runs, empty)
    shutil.rmtree(runs.root / "good")
    outer = runs.root / "outer"
    runs.simulation("outer/inner")
    assert f"inner) can be given as {outer}/*" in reason(runs, outer)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a":' * 10_000])
def test_broken_manifests(runs, content) -> None:
    bad = runs.training()
    (bad / "manifest.json").write_text(content)
    assert "manifest" in reason(runs, bad)


@pytest.mark.parametrize("content", ["a: [", "- 1", "\xff", "a: 1"])
def test_broken_configurations(runs, content) -> None:
    bad = runs.training()
    (bad / "run.yaml").write_text(content, encoding="latin-1")
    assert reason(runs, bad)


def test_a_changed_configuration(runs) -> None:
    bad = runs.training()
    text = (bad / "run.yaml").read_text()
    (bad / "run.yaml").write_text(text.replace("iterations: 1", "iterations: 9"))
    assert "changed after the run" in reason(runs, bad)


def test_missing_manifest(runs) -> None:
    bad = runs.training()
    (bad / "manifest.json").unlink()
    assert "cannot be read" in reason(runs, bad)


@pytest.mark.parametrize("file", ["results.csv", "results.json"])
def test_files_that_are_gone_or_changed(runs, file) -> None:
    bad = runs.evaluation(models=runs.evaluated())
    kept = (bad / file).read_text()
    (bad / file).write_text(kept.replace("5", "6"))
    assert "sha256 differs" in reason(runs, bad)
    shutil.rmtree(runs.root / "good")
    (bad / file).unlink()
    assert f"{file} is missing" in reason(runs, bad)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("training", "ledger.csv"),
        ("training", "training.csv"),
        ("training", "crossplay-wins.parquet"),
        ("simulation", "summary.csv"),
        ("simulation", "trajectories.parquet"),
    ],
)
def test_a_run_is_whole_or_damaged(runs, kind, file) -> None:
    bad = runs.training(wins=True) if kind == "training" else runs.simulation(iterations=40)
    (bad / file).write_bytes((bad / file).read_bytes() + b"1")
    assert f"{file} is not what the run wrote" in reason(runs, bad)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("run,algorithm", "run,method", "other columns"),
        (",0.6,", ",nan,", "must be a finite number"),
        (",0.6,", ",inf,", "must be a finite number"),
        (",0.6,", ",many,", "must be a finite number"),
        (",0.6,", ",0.9,", "is no interval about"),
        (",20,20,", ",20,-20,", "must be a whole number"),
        (",20,20,", ",20,20,20,", "cells, not 13"),
        ('""policy"": ""', '""policy"" ""', "hashes must be texts"),
    ],
)
def test_tables_that_are_broken(runs, old, new, message) -> None:
    bad = runs.training()
    text = (bad / "results.csv").read_text()
    assert old in text
    reseal(bad, "results.csv", text.replace(old, new, 1))
    assert message in reason(runs, bad)


def test_two_files_of_one_run_that_disagree(runs) -> None:
    bad = runs.evaluation(models=runs.evaluated())
    text = (bad / "results.json").read_text()
    reseal(bad, "results.json", text.replace('"value": 50', '"value": 51', 1))
    assert "do not hold the same figures" in reason(runs, bad)


@pytest.mark.parametrize(
    ("status", "message"),
    [("running", "is not finished; repeat its command"), ("paused", "unknown status")],
)
def test_runs_that_are_half_done(runs, status, message) -> None:
    bad = runs.training(status=status)
    assert message in reason(runs, bad)


def test_a_failed_simulation_has_nothing(runs) -> None:
    bad = runs.simulation()
    change(bad, status="failed")
    assert "has failed" in reason(runs, bad)


def test_a_newer_format(runs) -> None:
    bad = runs.training()
    change(bad, format=99)
    assert "update mnpo-bench" in reason(runs, bad)


def test_an_evaluation_that_failed_in_part_is_taken_and_told(runs) -> None:
    failures = ["alpaca_eval, judge x: it is down"]
    path = runs.evaluation(models=runs.evaluated(), status="failed", failures=failures)
    board = collect_board([path])
    assert board.runs[0].status == "failed"
    assert any("failed in part" in note and failures[0] in note for note in board.notes)
    # What an earlier attempt wrote is not what the last one found.
    change(path, failures=["mini, judge x: it is down"])
    with pytest.raises(UserError, match="attempt before the last"):
        collect_board([path])


def test_a_training_that_failed_in_part_is_taken_and_told(runs) -> None:
    path = runs.training(status="failed")
    failed = [{"method": "dpo", "seed": 0, "reason": "out of memory"}]
    change(path, failed=failed)
    change(path, "summary.json", failed=[["dpo", 0, "out of memory"]])
    board = collect_board([path])
    assert any("dpo, seed 0: out of memory" in note for note in board.notes)
    change(path, "summary.json", failed=[])
    with pytest.raises(UserError, match="attempt before the last"):
        collect_board([path])


def test_other_versions_are_told(runs) -> None:
    train, simulation = runs.training(), runs.simulation()
    change(simulation, environment={"mnpo_bench": "0.2.0"})
    board = collect_board([train, simulation])
    assert any("0.1.0: train; 0.2.0: sim" in note for note in board.notes)


def test_copies_are_taken_once(runs) -> None:
    train = runs.training()
    other = shutil.copytree(train, runs.root / "copy")
    board = collect_board([train, other, train])
    assert len(board.runs) == 1
    assert any("is a copy of" in note for note in board.notes)


def test_the_same_measured_twice(runs) -> None:
    one = runs.evaluation("one", models=runs.evaluated())
    same = runs.evaluation("same", models=runs.evaluated(), max_cost=3.0)
    board = collect_board([one, same])
    (note,) = board.sections[0].notes
    assert "one and same measured 6 figures" in note
    (figure,) = {own.figures["mini-v1/win_rate"] for own in board.sections[0].entries[:1]}
    assert len(figure.sources) == 1
    other = runs.evaluation("other", models=runs.evaluated(), noise=5, max_cost=4.0)
    with pytest.raises(UserError, match="one and other disagree on mini-v1 win_rate of"):
        collect_board([other, one])


def elsewhere(runs):
    return runs.evaluation(
        "elsewhere", models=runs.evaluated(mark="again"), limit=4, home="/another/train"
    )


def test_a_policy_that_was_trained_anew_between_two_evaluations(runs) -> None:
    one = runs.evaluation("one", models=runs.evaluated())
    other = runs.evaluation("other", models=runs.evaluated(mark="again"), limit=3)
    for own in (other, elsewhere(runs)):
        board = collect_board([one, own])
        assert len(board.sections[0].entries) == 5
        assert any("nothing shows that it is the same one" in note for note in board.notes)


def test_models_of_one_name_are_told_apart(runs) -> None:
    one = runs.evaluation("one", models={"m": (Origin("one", "m"), "a" * 64)})
    other = runs.evaluation("two", models={"m": (Origin("two", "m"), "b" * 64)}, noise=1)
    names = {own.name for own in collect_board([one, other]).sections[0].entries}
    assert names == {"m (aaaa)", "m (bbbb)"}


def test_older_runs_have_no_ratings(runs) -> None:
    board = collect_board([runs.training()])
    (left,) = board.left_out
    assert "older version" in left.why
    assert not board.pools
    assert board.sections


def test_broken_win_rates(runs) -> None:
    bad = runs.training(wins=True)
    reseal(bad, "crossplay-wins.parquet", "no table")
    board = collect_board([bad])
    assert "no Parquet file" in board.left_out[0].why
    assert board.sections


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"benchmarks": ("cross-pley",)}, "--benchmarks: no run has 'cross-pley'; did you mean"),
        ({"algorithms": ("innpo",)}, "did you mean 'inpo'"),
        ({"judges": ("toy-orakle",)}, "did you mean 'toy-oracle'"),
        ({"sort": "cross-play/exploitabilty"}, "did you mean 'cross-play/exploitability'"),
    ],
)
def test_options_that_name_what_is_not_there(runs, options, message) -> None:
    with pytest.raises(InvalidSetting, match=message):
        collect_board([runs.training()], BoardOptions(**options))
