"""What a manifest says of the machine, and what it keeps to itself."""

import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import mnpo
from mnpo.runs.environment import environment, git_commit


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mnpo-bench", "simulate", "--seed", "3"])
    found = environment()
    assert found["mnpo_bench"] == mnpo.__version__
    assert found["python"] == platform.python_version()
    for name in ("numpy", "scipy", "torch", "transformers"):
        assert found["versions"][name] == metadata.version(name)
    assert found["arguments"] == ["simulate", "--seed", "3"]
    json.dumps(found, allow_nan=False)


def test_nothing_that_identifies_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mnpo-bench"])
    monkeypatch.setenv("USER", "ada-lovelace")
    monkeypatch.setenv("SOME_TOKEN", "hush-hush")
    text = json.dumps(environment())
    assert "ada-lovelace" not in text
    assert "hush-hush" not in text
    assert set(environment()) == {
        *("mnpo_bench", "git_commit", "python", "versions", "platform", "cores", "arguments")
    }


def test_the_commit_is_that_of_the_checkout() -> None:
    root = Path(mnpo.__file__).resolve().parent.parent
    git_commit.cache_clear()
    found = git_commit()
    asked = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True)
    if not (root / ".git").exists() or asked.returncode:
        assert found is None
    else:
        assert found is not None
        assert found.removesuffix("+changes") == asked.stdout.strip()


@pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 10)])
def test_no_git_is_no_obstacle(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    git_commit.cache_clear()
    try:
        assert git_commit() is None
    finally:
        git_commit.cache_clear()
