import json

import pytest
import typer
from typer.testing import CliRunner

from mnpo.cli.scoring import alpaca_eval
from mnpo.errors import UserError


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(alpaca_eval.score)
    return lambda *arguments: CliRunner().invoke(app, [str(own) for own in arguments])


@pytest.fixture
def files(tmp_path):
    texts = [f"Question {k}?" for k in range(12)]
    reference = [
        {"instruction": t, "output": "yes " * (k + 2), "generator": "base"}
        for k, t in enumerate(texts)
    ]
    annotations = [
        {"instruction": t, "generator_2": "mini", "annotator": "j", "preference": 1 + k / 12}
        for k, t in enumerate(texts)
    ]
    paths = []
    for name, rows in (("reference", reference), ("annotations", annotations)):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(rows))
    return paths


def test_results_are_written(run, files, tmp_path):
    reference, annotations = files
    output = tmp_path / "out"
    arguments = ("--annotations", annotations, "--reference", reference, "--output", output)
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    found = json.loads((output / "results.json").read_text())
    assert found["benchmark"] == "alpaca-eval-2"
    own = found["models"]["mini"]
    assert own["win_rate"] == pytest.approx(100 * sum(k / 12 for k in range(12)) / 12)
    assert own["length_controlled_win_rate"] is None
    assert own["low"] < own["score"] < own["high"]
    assert (own["n"], own["missing"]) == (12, 0)
    assert (output / "results.csv").read_text().startswith("run,algorithm")
    printed = run(*arguments, "--json")
    assert json.loads(printed.stdout) == found


def test_nothing_is_written_when_rows_are_missing(run, files, tmp_path):
    reference, annotations = files
    annotations.write_text(json.dumps(json.loads(annotations.read_text())[:-1]))
    output = tmp_path / "out"
    arguments = ("--annotations", annotations, "--reference", reference, "--output", output)
    done = run(*arguments)
    assert isinstance(done.exception, UserError)
    assert "1 of 12 annotations are missing: instruction 11 (no row)" in str(done.exception)
    assert not output.exists()
    assert run(*arguments, "--allow-missing").exit_code == 0
    assert json.loads((output / "results.json").read_text())["models"]["mini"]["missing"] == 1


def test_jobs_are_at_least_one(run, files):
    reference, annotations = files
    arguments = ("--annotations", annotations, "--reference", reference)
    assert "--jobs must be at least 1" in str(run(*arguments, "--jobs", 0).exception)
    assert run(*arguments, "--jobs", 2).exit_code == 0
