"""`score mini`: what is printed and written."""

import json

import pytest
import typer

from evaluation.mini.benchmark import open_benchmark
from evaluation.mini.questions import mini_questions
from mnpo.cli.scoring import mini
from mnpo.errors import UserError


@pytest.fixture
def call(capsys):
    app = typer.Typer()
    app.command(help=mini.HELP)(mini.score)

    def run(*arguments):
        capsys.readouterr()
        typer.main.get_command(app).main(
            list(map(str, arguments)), prog_name="score mini", standalone_mode=False
        )
        return capsys.readouterr().out

    return run


@pytest.fixture
def judgements(tmp_path):
    path = tmp_path / "judgements.jsonl"
    rows = [
        {
            "benchmark": "mini-v1",
            "question_id": own.question.id,
            "model": "m",
            "judge": "j",
            "order": order,
            "verdict": "A" if order == "AB" else "tie",
        }
        for own in mini_questions()
        for order in ("AB", "BA")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_files_and_table(call, judgements, tmp_path):
    out = call("--judgments", judgements, "--output", tmp_path / "out")
    assert "mini-v1, judge j" in out
    results = json.loads((tmp_path / "out/results.json").read_text())
    own = results["models"]["m"]
    assert (own["win_rate"], own["score"], own["n"], own["missing"]) == (75, 75, 40, 0)
    assert (tmp_path / "out/results.csv").read_text().count("\n") == 10
    assert json.loads(call("--judgments", judgements, "--json")) == results


def test_missing_rows(call, judgements, tmp_path):
    lines = judgements.read_text().splitlines(keepends=True)
    judgements.write_text("".join(lines[3:]))
    with pytest.raises(UserError, match="2 of 40 scores are missing"):
        call("--judgments", judgements, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    own = json.loads(call("--judgments", judgements, "--allow-missing", "--json"))["models"]["m"]
    assert (own["n"], own["missing"]) == (38, 2)


def test_a_part(call, judgements):
    asked = {own.id for own in open_benchmark(limit=8).questions()}
    lines = judgements.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["question_id"] in asked]
    judgements.write_text("".join(kept))
    results = json.loads(call("--judgments", judgements, "--limit", 8, "--json"))
    assert results["models"]["m"]["n"] == 8
    assert "only 8 of them were asked" in results["notes"]
