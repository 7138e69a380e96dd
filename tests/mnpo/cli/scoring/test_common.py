"""What every `score` command does with --output, and with values that no number can hold."""

import json
import os

import pytest

from evaluation.mini.questions import mini_questions
from mnpo.runs import files as written


@pytest.fixture
def score(tmp_path, monkeypatch, capsys):
    """`score mini` through the entry point: (exit code, lines on stderr, stdout)."""
    import sys

    from mnpo.cli import main

    rows = [
        {
            "benchmark": "mini-v1",
            "question_id": own.question.id,
            "model": "m",
            "judge": "j",
            "order": order,
            "verdict": "A",
        }
        for own in mini_questions()
        for order in ("AB", "BA")
    ]
    path = tmp_path / "judgements.jsonl"

    def run(*options, **changes):
        path.write_text("".join(json.dumps(row | changes) + "\n" for row in rows))
        arguments = ["mnpo-bench", "score", "mini", "--judgments", path, *options]
        monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        found = capsys.readouterr()
        return left.value.code, found.err.splitlines(), found.out

    return run


def refused(score, output, says, monkeypatch, **changes) -> None:
    import evaluation.mini.benchmark as benchmark

    monkeypatch.setattr(benchmark, "score_files", lambda *_, **__: pytest.fail("was scored"))
    code, lines, out = score("--output", output, **changes)
    assert (code, out) == (2, "")
    (line,) = lines
    assert says in line


def test_nothing_is_scored_for_an_output_that_cannot_be(score, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder" / "results.json").mkdir(parents=True)
    (tmp_path / "table" / "results.csv").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    refused(score, "", "give a folder", monkeypatch)
    refused(score, tmp_path / "file", "is a file; give a folder", monkeypatch)
    refused(score, tmp_path / "file/below", "is a file; give a folder", monkeypatch)
    refused(score, tmp_path / "folder", "results.json is a folder", monkeypatch)
    refused(score, tmp_path / "table", "results.csv is a folder", monkeypatch)
    assert sorted(p for p in tmp_path.rglob("*") if p.name != "judgements.jsonl") == before
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("text", ["[]", '{"mine": 1}', "no JSON", "[" * 200_000, '{"results": []}'])
def test_results_of_others_are_not_overwritten(score, tmp_path, monkeypatch, text) -> None:
    (tmp_path / "results.json").write_text(text)
    refused(score, tmp_path, "results.json is no result of 'score'", monkeypatch)
    assert (tmp_path / "results.json").read_text() == text


def test_a_table_of_others_is_not_overwritten(score, tmp_path, monkeypatch) -> None:
    (tmp_path / "results.csv").write_text("name,mine\n")
    refused(score, tmp_path, "results.csv is no result of 'score'", monkeypatch)


def test_our_own_are_replaced(score, tmp_path) -> None:
    assert score("--output", tmp_path / "out")[0] == 0
    assert score("--output", tmp_path / "out", model="x")[0] == 0
    assert "x" in json.loads((tmp_path / "out/results.json").read_text())["models"]


@pytest.mark.parametrize("fails_at", [0, 1])
def test_both_files_or_none(score, tmp_path, monkeypatch, fails_at) -> None:
    flush, calls = os.fsync, iter(range(10))

    def full(handle: int) -> None:
        if next(calls) == fails_at:
            raise OSError(28, os.strerror(28))
        flush(handle)

    monkeypatch.setattr(written.os, "fsync", full)
    code, lines, out = score("--output", tmp_path / "a" / "out")
    assert (code, out) == (2, "")
    assert "the disk is full" in lines[0]
    assert not (tmp_path / "a").exists()


def test_half_a_character_in_names(score, tmp_path) -> None:
    out = tmp_path / "out"
    code, lines, _ = score("--output", out, model="m\ud800", judge="j\udfff")
    assert (code, lines) == (0, [])
    assert list(json.loads((out / "results.json").read_text())["models"]) == ["m\ufffd"]
    assert "m\ufffd" in (out / "results.csv").read_text()


@pytest.mark.parametrize("value", ["1" * 5000, 10**400, "x" * 5000, ["x" * 5000]])
def test_repeats_that_are_none(score, value) -> None:
    code, (line,), _ = score(repeat=value)
    assert code == 2
    assert "row 1: repeat must be a whole number" in line
    assert len(line) < 500


def test_very_long_names_are_cut_in_messages(score) -> None:
    code, (line,), _ = score(benchmark="b" * 100_000)
    assert code == 2
    assert len(line) < 2100
