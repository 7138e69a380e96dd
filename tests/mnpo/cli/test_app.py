"""Ends of the program that are nobody's answer: interrupted, out of memory, nowhere to print."""

import os
import signal
import subprocess
import sys

import pytest

from mnpo.cli import app, main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "mnpo-bench: interrupted"),
        (RecursionError("maximum depth"), 2, "mnpo-bench: the input is nested too deeply"),
        (MemoryError(), 2, "mnpo-bench: there is not enough memory"),
    ],
)
def test_one_line(bench, monkeypatch, error, code, line) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    outcome = bench("algorithms")
    assert outcome.code == code
    assert outcome.out == ""
    (said,) = outcome.errors
    assert said.startswith(line)


def test_bugs_show(monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(app, "app", fail)
    with pytest.raises(KeyError, match="a bug"):
        main()


def test_an_interrupt_within_a_command(bench, monkeypatch) -> None:
    """Typer turns it into an exit code and says nothing."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    import mnpo.algorithms

    monkeypatch.setattr(mnpo.algorithms, "list_algorithms", interrupt)
    outcome = bench("algorithms", "list")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "mnpo-bench: interrupted\n")


def test_an_interrupt_while_modules_load() -> None:
    """Whatever is imported first sends the signal."""
    script = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from mnpo.cli import main\n"
        "sys.argv = ['mnpo-bench', '--version']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "mnpo-bench: interrupted\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("--version",), ("algorithms", "list"), ("--help",)])
def test_an_output_that_is_full(command, arguments) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*command, *arguments], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("mnpo-bench: the disk is full: could not write stdout")


def test_a_reader_that_went_away(command) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*command, "algorithms", "list"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode in (1, -signal.SIGPIPE)


@pytest.mark.parametrize("command", ["alpaca-eval", "arena-hard"])
def test_seeds_are_not_negative(bench, command) -> None:
    outcome = bench("score", command, "--seed", -1)
    assert outcome.code == 2
    assert "--seed" in outcome.errors[0]
