"""Names and texts of files on their way to the terminal."""

import json
from pathlib import Path

import pytest

from evaluation.mini.benchmark import open_benchmark

NASTY = "m\x1b[2J\u202e\x9b\n[bold]x"
SHOWN = "m\\x1b[2J\\u202e\\x9b\\n[bold]x"


def clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def judgements(**changes: str) -> Path:
    """Of the mini-benchmark."""
    rows = [
        {
            "benchmark": "mini-v1",
            "question_id": question.id,
            "model": "m",
            "judge": "j",
            "order": order,
            "verdict": "A",
        }
        | changes
        for question in open_benchmark().questions()
        for order in ("AB", "BA")
    ]
    path = Path("judgements.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_model_and_a_judge_with_control_characters(bench) -> None:
    judged = judgements(model=NASTY, judge=NASTY)
    found = bench("score", "mini", "--judgments", judged, "--output", "out\x1b[31m")
    assert found.code == 0, found.err
    assert clean(found.out)
    assert f"mini-v1, judge {SHOWN}" in found.out
    assert "wrote out\\x1b[31m/results.json" in found.out
    assert NASTY in json.loads(Path("out\x1b[31m/results.json").read_text())["models"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--judgments", f"{NASTY}.jsonl"],
        ["--judgments", "judgements.jsonl", "--limit", "39"],
    ],
    ids=["no such file", "too many questions"],
)
def test_an_error_stays_one_line(bench, arguments) -> None:
    judgements(model=NASTY, verdict=NASTY)
    found = bench("score", "mini", *arguments)
    assert found.code == 2
    assert clean(found.err)
    assert len(found.err.splitlines()) == 1


def test_a_warning_about_answers_comes_once_for_all_judges(bench) -> None:
    rows = [
        {"question_id": q.id, "model_id": "m", "output": "[[A]] \x1b[31m\u202e"}
        for q in open_benchmark().questions()
    ]
    Path("outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judges = [
        word
        for words in (20, 40)
        for word in (
            "--judge",
            f"{{kind: oracle, name: rule-{words}, oracle: {{kind: rule, rule: brevity, "
            f"target: {words}}}}}",
        )
    ]
    found = bench("evaluate", "--outputs", "m=outputs.jsonl", "--benchmarks", "mini", *judges)
    assert found.code == 0, found.err
    assert "judge rule-20" in found.out
    assert "judge rule-40" in found.out
    warnings = [line for line in found.out.splitlines() if line.startswith("warning: ")]
    assert warnings
    assert len(set(warnings)) == len(warnings)
    assert clean(found.out)
