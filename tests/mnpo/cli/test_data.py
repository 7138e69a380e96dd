"""`data`: list, fetch, import, verify, and what goes wrong."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer
from benchmark_files import Files, serving, use_registry, write_official

from mnpo.cli import data
from mnpo.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MNPO_BENCH_CACHE", str(tmp_path / "cache"))
    use_registry(monkeypatch)
    return tmp_path / "cache" / "benchmarks"


@pytest.fixture
def call(capsys):
    """Run one of the commands as the program does, wherever it is mounted."""

    def run(*arguments):
        capsys.readouterr()
        code = typer.main.get_command(data.app).main(
            list(map(str, arguments)), prog_name="data", standalone_mode=False
        )
        captured = capsys.readouterr()
        return SimpleNamespace(code=code or 0, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def folder(tmp_path):
    return write_official(tmp_path / "given")


def test_import_verify_list(call, folder, cache):
    done = call("import", folder)
    assert done.code == 0
    assert "imported toy/questions (official)" in done.out
    assert done.out.splitlines()[-1] == "3 imported, 1 optional"
    assert call("import", folder, "toy/questions").out.splitlines()[-1] == "1 kept"
    checked = call("verify")
    assert checked.code == 0
    assert checked.out.count("ok ") == 4
    rows = json.loads(call("list", "--json").out)
    assert {(r["benchmark"], r["role"]): r["here"] for r in rows} == {
        ("inside", ""): "built in",
        ("toy", "questions"): "cache",
        ("toy", "table"): "cache",
        ("toy", "own"): "no",
        ("sets", "pairs"): "cache",
    }
    table = call("list").out
    assert "cache (official)" in table
    assert "CC BY-NC 4.0" in table
    assert "no (optional)" in table


def test_verify_fails_on_a_changed_file(call, folder, cache):
    call("import", folder)
    (cache / "toy/questions/question.jsonl").write_text("edited")
    checked = call("verify")
    assert checked.code == 1
    assert "changed  toy/questions" in checked.out
    assert call("verify", "sets").code == 0
    rows = json.loads(call("verify", "toy/questions", "--json").out)
    assert [row["state"] for row in rows] == ["changed"]


def test_verify_of_nothing(call):
    done = call("verify")
    assert done.code == 0
    assert done.out.startswith("nothing in ")


def test_import_of_a_changed_file(call, folder):
    (folder / "data/toy/question.jsonl").write_text("edited")
    done = call("import", folder, "toy/questions")
    assert done.code == 1
    assert done.out.startswith("refused  toy/questions")
    assert call("import", folder, "toy/questions", "--accept-changed").code == 0


def test_import_of_a_folder_without_anything(call, tmp_path):
    (tmp_path / "empty").mkdir()
    done = call("import", tmp_path / "empty")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "3 missing, 1 optional"


def test_list_looks_into_a_folder(call, folder):
    rows = json.loads(call("list", "toy/questions", "--data-dir", folder, "--json").out)
    assert [row["here"] for row in rows] == ["folder"]


def test_fetch(call, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    files = Files()
    with serving(files) as mirror:
        done = call("fetch", "toy", "--mirror", mirror)
        assert done.code == 0
        assert "fetched  toy/questions" in done.out
        assert "nowhere  toy/own" in done.out
        assert done.err.splitlines()[0] == "note: Toy: CC BY-NC 4.0"
        assert call("fetch", "toy/own", "--mirror", mirror).code == 1
        files.data.clear()
        rows = json.loads(call("fetch", "toy", "--mirror", mirror, "--json").out)
        assert {row["role"]: row["state"] for row in rows}["questions"] == "kept"
        assert call("fetch", "toy", "--again", "--mirror", mirror).code == 1


def test_fetch_offline(call, cache):
    with pytest.raises(UserError, match=r"^--offline was given"):
        call("fetch", "--offline")
    assert not cache.exists()


def test_nothing_heavy_is_loaded():
    names = "('torch', 'yaml', 'numpy', 'pydantic')"
    code = f"import sys, mnpo.cli.data; print([m for m in {names} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
