import json

import pytest
import typer
from typer.testing import CliRunner

from mnpo.cli.scoring.llmbar import score
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
    def make(count=46):
        rows = [
            {
                "label": 1 + i % 2,
                "results": [
                    {
                        "swap = False": {"winner": "1"},
                        "swap = True": {"winner": str(1 + i % 2)},
                    }
                ],
            }
            for i in range(count)
        ]
        path = tmp_path / "my-judge.json"
        path.write_text(json.dumps(rows))
        return path

    return make


def test_one_official_file(run, stored, tmp_path):
    arguments = ["--subset", "Adversarial/Manual", "--output", tmp_path / "out"]
    done = run("--judgments", stored(), *arguments)
    assert done.exit_code == 0, done.exception
    own = json.loads((tmp_path / "out" / "results.json").read_text())["models"]["my-judge"]
    assert own["score"] == 75
    assert own["metrics"]["accuracy/Adversarial/Manual"]["value"] == 75
    assert own["headline"] == "accuracy"


def test_a_missing_pair(run, stored, tmp_path):
    done = run("--judgments", stored(45), "--subset", "Adversarial/Manual", "--output", "out")
    assert isinstance(done.exception, UserError)
    assert "1 of 46 judged pairs are missing: Adversarial/Manual 45" in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.shared_data
def test_stored_verdicts_of_gpt_4(run, shared_data):
    folder = shared_data / "data" / "prefs" / "llmbar"
    done = run("--judgments", folder / "GPT-4_Vanilla.jsonl.gz", "--json")
    own = json.loads(done.stdout)["models"]["GPT-4_Vanilla"]
    assert own["official"]["accuracy/Natural"]["value"] == 95.5
