"""The command line as a user meets it: as a program of its own, or, faster, within the tests."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mnpo.cli import main

PROGRAM = shutil.which("mnpo-bench", path=Path(sys.executable).parent)
COMMAND = [PROGRAM] if PROGRAM else [sys.executable, "-c", "from mnpo.cli import main; main()"]


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def notes(self) -> list[str]:
        """Lines on stderr that only inform."""
        return [line for line in self.err.splitlines() if line.startswith("note: ")]

    @property
    def errors(self) -> list[str]:
        """All other lines on stderr."""
        return [line for line in self.err.splitlines() if not line.startswith("note: ")]


Bench = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in a folder of their own, on an ordinary terminal's width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The words that start the program."""
    return COMMAND


@pytest.fixture
def program() -> Bench:
    """Run the installed program in a process of its own."""

    def run(*arguments: object) -> Outcome:
        finished = subprocess.run(
            [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300
        )
        return Outcome(finished.returncode, finished.stdout, finished.stderr)

    return run


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Run the same entry point in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["mnpo-bench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        code = left.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def refused(bench: Bench, tmp_path: Path) -> Callable[..., str]:
    """Run `simulate`, check that it is refused as every bad input is, and return its one line."""

    def run(*arguments: object) -> str:
        before = _tree(tmp_path)
        outcome = bench("simulate", "--iterations", 5, "--output", "out", *arguments)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        assert len(outcome.errors) == 1, outcome.err
        line = outcome.errors[0]
        assert line.startswith("mnpo-bench: ")
        assert "Traceback" not in line
        assert _tree(tmp_path) == before, "something was written"
        return line.removeprefix("mnpo-bench: ")

    return run


def _tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
