import csv
import gzip
import json

import pytest
import typer
from typer.testing import CliRunner

from mnpo.cli.scoring.mt_bench import score
from mnpo.errors import UserError


@pytest.fixture(autouse=True)
def _no_imported_data(monkeypatch, tmp_path):
    monkeypatch.setenv("MNPO_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(score)

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def stored(tmp_path):
    """A whole model's ratings in a file; ``change`` edits the rows."""

    def make(change=lambda rows: rows, name="j_single.jsonl", model="m", base=5):
        rows = [
            {
                "question_id": q,
                "turn": t,
                "model": model,
                "judge": ["j", "x"],
                "score": base + (q + t) % 3,
                "judgment": f"{q} [[{base + (q + t) % 3}]]",
            }
            for q in range(81, 161)
            for t in (1, 2)
        ]
        path = tmp_path / name
        text = "".join(json.dumps(row) + "\n" for row in change(rows))
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return make


def test_results_are_written(run, stored, tmp_path):
    paths = [stored(), stored(name="k.jsonl.gz", model="k", base=3)]
    done = run("--judgments", paths[0], "--judgments", paths[1], "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["benchmark"] == "mt-bench"
    own = found["models"]["m"]
    mean = sum(5 + (q + t) % 3 for q in range(81, 161) for t in (1, 2)) / 160
    assert own["score"] == pytest.approx(mean)
    assert own["low"] < own["score"] < own["high"]
    assert (own["n"], own["missing"], own["win_rate"]) == (160, 0, None)
    assert len(found["comparisons"]) == 1
    with (tmp_path / "out" / "results.csv").open() as file:
        metrics = {row["metric"] for row in csv.DictReader(file)}
    assert {"score", "score/turn-1", "official/score"} <= metrics


def test_json_goes_to_stdout_alone(run, stored):
    done = run("--judgments", stored(), "--json")
    assert json.loads(done.stdout)["models"]["m"]["n"] == 160


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "m: 1 of 160 judgements are missing: question 81 turn 1"),
        (lambda rows: [*rows, rows[7]], "row 161: is a copy of .*row 8"),
        (lambda rows: [{**rows[0], "question_id": 7}, *rows[1:]], "question 7 turn 1 is not among"),
        (lambda rows: [{**rows[0], "judge": ["k", "x"]}, *rows[1:]], "several judges"),
        (lambda rows: [{**rows[0], "score": float("nan")}, *rows[1:]], "row 1: score must be a"),
        (lambda rows: [{**rows[0], "score": 1}, *rows[1:]], "row 1: score is 1, but"),
        (lambda rows: [], "no rows"),
    ],
)
def test_bad_files_are_refused_and_nothing_is_written(run, stored, tmp_path, change, message):
    done = run("--judgments", stored(change), "--output", tmp_path / "out")
    assert isinstance(done.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise done.exception
    assert not (tmp_path / "out").exists()


def test_gaps_and_copies_are_scored_when_allowed(run, stored):
    path = stored(lambda rows: [*rows[1:], rows[7]])
    own = json.loads(run("--judgments", path, "--allow-missing", "--json").stdout)["models"]["m"]
    assert (own["n"], own["missing"]) == (159, 1)
    assert len(own["flags"]) == 2


def test_ratings_and_comparisons_do_not_mix(run, stored, tmp_path):
    pair = tmp_path / "pair.jsonl"
    pair.write_text('{"question_id": 81, "model_1": "a", "model_2": "b"}\n')
    done = run("--judgments", stored(), "--judgments", pair)
    assert "cannot be scored together" in str(done.exception)
    done = run("--judgments", stored(), "--baseline", "b")
    assert "a baseline belongs to comparisons" in str(done.exception)
    done = run("--judgments", stored(), "--judgments", stored())
    assert "given twice" in str(done.exception)


@pytest.mark.shared_data
def test_martian(run, shared_data, tmp_path):
    path = shared_data / "data" / "mt_bench" / "judgments" / "lm-sys_router_gpt-4_single.jsonl.gz"
    done = run("--judgments", path, "--output", tmp_path / "out")
    assert done.exit_code == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["models"]["martian"]["score"] == 8.3125
