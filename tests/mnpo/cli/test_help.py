"""Help, version, and what is said to words that mean nothing."""

import re

import pytest
import typer

import mnpo
from mnpo.cli.app import app

COMMANDS = [
    [],
    ["simulate"],
    ["games"],
    ["games", "list"],
    ["games", "show"],
    ["algorithms"],
    ["algorithms", "list"],
    ["algorithms", "show"],
    ["evaluate"],
    ["score"],
    *(
        ["score", name]
        for name in ("mini", "alpaca-eval", "arena-hard", "mt-bench", "llmbar", "lm-eval")
    ),
    ["data"],
    *(["data", name] for name in ("list", "fetch", "import", "verify")),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_fits_a_terminal(bench, words) -> None:
    outcome = bench(*words, "--help")
    assert outcome.code == 0
    assert outcome.err == ""
    assert f"Usage: mnpo-bench {' '.join(words)}".strip() in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_paragraphs_of_help_have_no_line_breaks_of_their_own() -> None:
    """They are broken by the terminal's width, and a second time by a line's end in the source."""

    def commands(command, *names):
        yield " ".join(names), command
        for name, inner in getattr(command, "commands", {}).items():
            yield from commands(inner, *names, name)

    broken = [
        name
        for name, command in commands(typer.main.get_command(app))
        for text in (command.help, command.epilog)
        for paragraph in (text or "").strip().split("\n\n")
        if "\n" in paragraph
    ]
    assert not broken


def test_the_installed_program_answers(program) -> None:
    assert program("--version").out == f"mnpo-bench {mnpo.__version__}\n"
    outcome = program("--help")
    assert outcome.code == 0
    assert outcome.err == ""
    for command in ("simulate", "games", "algorithms"):
        assert re.search(rf"{command} +\w", outcome.out)


def test_help_of_simulate_shows_every_default_and_runs_its_examples(bench) -> None:
    text = bench("simulate", "--help").out
    for default in ("cyclic", "500", "0.5", "0.1", "auto", "exact", "1", "0", "local"):
        assert f"[default: {default}]" in text
    examples = [line.split() for line in text.splitlines() if line.startswith(" mnpo-bench ")]
    assert len(examples) >= 3
    for words in examples:
        if not any("file:" in word for word in words):
            assert bench(*words[1:], "--dry-run").code == 0


@pytest.mark.parametrize("words", [[], ["games"], ["algorithms"]], ids=" ".join)
def test_no_command_shows_the_help(bench, words) -> None:
    outcome = bench(*words)
    assert outcome.code == 2
    assert "Usage: mnpo-bench" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulat"], "Did you mean 'simulate'"),
        (["simulate", "--gme", "cyclic"], "--gme (Possible options: --game"),
        (["simulate", "--iterations", "ten"], "'--iterations'"),
        (["simulate", "--iterations", "1.5"], "'--iterations'"),
        (["simulate", "--step-size", "big"], "'--step-size'"),
        (["simulate", "--jobs", "two"], "'--jobs'"),
        (["simulate", "--game"], "'--game' requires an argument"),
        (["simulate", "cyclic"], "(cyclic)"),
        (["games", "show"], "Missing argument"),
        (["games", "sho", "cyclic"], "Did you mean 'show'"),
        (["games", "show", "cyclik"], "did you mean 'cyclic'?"),
        (["games", "show", "cyclic", "--set", "strenght=1"], "did you mean 'strength'?"),
        (["algorithms", "show", "inpoo"], "did you mean 'inpo'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_are_one_line(bench, words, said) -> None:
    outcome = bench(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("mnpo-bench: ")
    assert said in line


def test_wrong_words_are_one_line_of_the_program(program) -> None:
    outcome = program("simulate", "--temprature", "1")
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert "--temperature" in line
    assert "mnpo-bench simulate --help" in line
