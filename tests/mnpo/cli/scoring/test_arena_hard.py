import csv
import gzip
import json

import pytest
import typer
from typer.testing import CliRunner

from mnpo.cli.scoring.arena_hard import score
from mnpo.errors import UserError

BASE = "gpt-4-0314"


@pytest.fixture
def command():
    app = typer.Typer()
    app.command("arena-hard")(score)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def battles(tmp_path):
    rows = ["question_id,model_a,model_b,winner"]
    rows += [
        f"q{i},{BASE},m,{w}"
        for i in range(500)
        for w in ("model_b", ["model_a", "model_a", "tie"][i % 3])
    ]
    rows += [
        f"q{i},{BASE},n,{w}" for i in range(500) for w in ("model_b", ["tie", "model_b"][i % 2])
    ]
    path = tmp_path / "battles.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def test_results_are_written_and_printed(command, battles, tmp_path) -> None:
    out = tmp_path / "out" / "run"
    result = command("--battles", battles, "--output", out)
    assert result.exit_code == 0
    assert "arena-hard-v0.1" in result.output
    written = json.loads((out / "results.json").read_text())
    assert written["benchmark"] == "arena-hard-v0.1"
    own = written["models"]["n"]
    assert own["score"] == own["win_rate"] == 87.5
    assert own["low"] < 87.5 < own["high"]
    assert (own["n"], own["missing"], own["length_controlled_win_rate"]) == (500, 0, None)
    assert own["official"]["score"]["rule"].startswith("Bradley-Terry; 2.5 and 97.5 percentiles")
    assert written["comparisons"][0]["p_value_holm"] < 0.001
    assert written["settings"]["separability"]["score"]["clustered"]["pairs"] == 1
    with (out / "results.csv").open() as file:
        metrics = {row["metric"] for row in csv.DictReader(file)}
    assert {"score", "win_rate", "official/score"} <= metrics


def test_json_alone(command, battles) -> None:
    assert json.loads(command("--battles", battles, "--json").output)["models"].keys() == {"m", "n"}


def test_gaps_need_the_flag_and_leave_nothing_behind(command, battles, tmp_path) -> None:
    text = gzip.decompress(battles.read_bytes()).decode().splitlines()
    path = tmp_path / "gap.csv"
    path.write_text("\n".join(line for line in text if not line.startswith(f"q7,{BASE},m")))
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"m: 1 of 500 .*: 1 \(no verdict\); --allow-missing"):
        command("--battles", path, "--output", out)
    assert not out.exists()
    command("--battles", path, "--output", out, "--allow-missing")
    models = json.loads((out / "results.json").read_text())["models"]
    assert (models["m"]["n"], models["m"]["missing"]) == (499, 1)
    assert models["n"]["missing"] == 0


def test_v20_judgments_with_style_control(command, tmp_path) -> None:
    def write(name, rows):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    ids = [f"q{i}" for i in range(60)]
    labels = ["A>B", "B>A", "B>>A", "A=B", "A>>B", "B>A", "A>B"]
    judgments = write(
        "m.jsonl",
        [
            {
                "uid": q,
                "category": "hard_prompt",
                "judge": "j",
                "model": "m",
                "baseline": "o3-mini-2025-01-31",
                "games": [
                    {"score": labels[i % 7], "judgment": {"answer": ""}},
                    {"score": labels[(3 * i) % 7], "judgment": {"answer": ""}},
                ],
            }
            for i, q in enumerate(ids)
        ],
    )
    questions = write(
        "question.jsonl", [{"uid": q, "category": "hard_prompt", "prompt": "?"} for q in ids]
    )
    answers = write(
        "answers.jsonl",
        [
            {
                "uid": q,
                "model": model,
                "messages": [{"content": "x"}],
                "metadata": {
                    "token_len": 20 + (7 * i + 11 * len(model)) % 50,
                    "header_count": i % 3,
                    "list_count": i % 5 * (len(model) % 2),
                    "bold_count": (i + len(model)) % 4,
                },
            }
            for model in ("m", "o3-mini-2025-01-31")
            for i, q in enumerate(ids)
        ],
    )
    result = command(
        "--judgments",
        judgments,
        "--version",
        "v2.0",
        "--questions",
        questions,
        "--answers",
        answers,
        "--json",
    )
    found = json.loads(result.output)
    own = found["models"]["m"]
    assert found["judge"] == "j"
    assert own["score"] == own["metrics"]["score/hard_prompt"]["value"]
    assert own["official"]["score"]["rule"].startswith("mean, 5 and 95 percentiles")
    controlled = own["metrics"]["style_controlled_score/hard_prompt"]
    assert controlled["low"] < controlled["value"] < controlled["high"]
    assert own["details"]["style_effects"]["hard_prompt"].keys() == {
        "tokens",
        "headers",
        "lists",
        "bold",
    }
