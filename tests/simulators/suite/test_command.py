"""`simulate --suite`: what it prints, and which options do not go with it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnpo.cli import main
from simulators.suite import settings as module
from simulators.suite.settings import SuiteSettings

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mnpo-bench", "simulate", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return run


def test_it_runs_prints_and_takes_over(
    command: Command, tiny: SuiteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load(name: str, **options: object) -> SuiteSettings:
        asked.append((name, options))
        return tiny.model_copy(update={"algorithms": ("inpo", "ipo")})

    monkeypatch.setattr(module, "load_suite", load)
    code, out, err = command("--suite", "standard", "--output", "run", "--seeds", 3)
    assert (code, err) == (0, "")
    assert asked == [("standard", {"held_out": 3, "quick": False})]
    assert "exact: duality gap of the last policy" in out
    assert "inpo" in out
    assert "(equilibrium)" in out
    assert "run/suite.md" in out
    assert (tmp_path / "run" / "games.csv").is_file()
    report = (tmp_path / "run" / "suite.md").read_text()
    assert "mnpo-bench simulate --suite standard --output run --seeds 3" in report
    code, out, err = command("--suite", "standard", "--output", "run", "--quick")
    assert code == 0
    assert asked[-1] == ("standard", {"held_out": None, "quick": True})
    assert "12 cells were finished before and taken over" in out


def test_a_dry_run_writes_nothing(command: Command, tmp_path: Path) -> None:
    code, out, _ = command("--suite", "standard", "--dry-run")
    assert code == 0
    assert "23 algorithms on 13 families in 2 regimes" in out
    assert "runs/suite-standard-" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--suite", "standart"), "unknown suite 'standart'; did you mean 'standard'"),
        (("--suite", "standard", "--game", "cyclic"), "--game does not go with --suite"),
        (
            ("--suite", "standard", "--iterations", 0, "--set", "a=1"),
            "--iterations, --set do not go with --suite",
        ),
        (("--suite", "standard", "--algorithms", "inpo"), "--algorithms does not go"),
        (("--suite", "standard", "--step-size", 0), "--step-size does not go"),
        (("--suite", "standard", "--temperature", 0), "--temperature does not go"),
        (("--suite", "standard", "--reference", "uniform"), "--reference does not go"),
        (("--suite", "standard", "--initial", "random"), "--initial does not go"),
        (("--suite", "standard", "--mode", "exact"), "--mode does not go"),
        (("--suite", "standard", "--seed", 0), "--seed does not go"),
        (("--suite", "standard", "--sweep", "tau=1,2"), "--sweep does not go"),
        (("--suite", "standard", "--config", "x.yaml"), "--config does not go"),
        (("--suite", "standard", "--executor", "ray"), "--executor does not go"),
        (("--suite", "standard", "--json"), "--json does not go"),
        (("--suite", "standard", "--seeds", 0), "held_out must be at least 1, got 0"),
        (("--suite", "standard", "--seeds", 10**9), "--seeds must be at most 10000, held-out"),
        (("--suite", "standard", "--jobs", 0), "--jobs must be at least 1, got 0"),
        (("--quick",), "--quick is the small version of a --suite; name one"),
    ],
)
def test_what_does_not_go_together_is_refused(
    command: Command, tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    code, out, err = command(*words)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
