"""The documentation names what there is, and its commands and snippets run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mnpo.algorithms import list_algorithms
from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS
from simulators.dynamics.modes import Mode
from simulators.games import list_games
from simulators.metrics.verdict import Verdict
from simulators.study.outputs import CONTRACT_COLUMNS, FURTHER_COLUMNS

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, "-c", "from mnpo.cli import main; main()"]
#: A matrix of our own for the commands that name a file.
WINS = ",a,b,c\na,0.5,0.7,0.4\nb,0.3,0.5,0.8\nc,0.6,0.2,0.5\n"


def page(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("entry", list_algorithms(), ids=lambda entry: entry.name)
def test_algorithms_page_names_every_algorithm(entry) -> None:
    assert f"`{entry.name}`" in page("docs/algorithms.md")


@pytest.mark.parametrize("name", sorted({key for own in PAPER_PARAMETERS.values() for key in own}))
def test_algorithms_page_names_every_paper_parameter(name: str) -> None:
    assert f"`{name}`" in page("docs/algorithms.md")


@pytest.mark.parametrize("spec", list_games(), ids=lambda spec: spec.name)
def test_games_page_names_every_game_and_parameter(spec) -> None:
    text = page("docs/games.md")
    assert f"`{spec.name}" in text
    for parameter in spec.parameters:
        assert parameter.name == "path" or f"| `{parameter.name}` |" in text


@pytest.mark.parametrize("name", [name for name in Mode.__dataclass_fields__ if name != "name"])
def test_simulator_page_names_every_mode_setting(name: str) -> None:
    assert f"`{name}`" in page("docs/simulator.md")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdicts_page_names_every_verdict(verdict: Verdict) -> None:
    assert f"| {verdict} |" in page("docs/verdicts.md")


def test_metrics_are_explained() -> None:
    text = page("docs/verdicts.md") + page("docs/simulator.md")
    plain = {
        "game", "algorithm", "mode", "seed", "iterations", "verdict", "parameters", "run", "note",
        "step_size", "temperature", "gap_initial", "gap_last", "regularized_gap_last",
        "regularized_gap_average",
    }  # fmt: skip
    for column in {*CONTRACT_COLUMNS, *FURTHER_COLUMNS} - plain:
        assert f"`{column}`" in text, column


def commands(name: str) -> list[str]:
    """The `mnpo-bench` lines of a page's bash blocks, comments dropped."""
    blocks = re.findall(r"```bash\n(.*?)```", page(name), flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("mnpo-bench ")]


ALL_COMMANDS = [
    (name, line)
    for name in ("README.md", "docs/games.md", "docs/simulator.md")
    for line in commands(name)
]


def test_the_pages_have_commands() -> None:
    assert len(ALL_COMMANDS) >= 10


@pytest.mark.parametrize(("name", "line"), ALL_COMMANDS, ids=lambda value: value[:60])
def test_commands_of_the_pages_run(name: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "wins.csv").write_text(WINS)
    (tmp_path / "returns.csv").write_text(",a,b\na,0,120\nb,-118,0\n")
    (tmp_path / "win_fraction.csv").write_text(WINS)
    (tmp_path / "battle_count.csv").write_text(",a,b,c\na,0,90,80\nb,90,0,70\nc,80,70,0\n")
    arguments = shlex.split(line)[1:]
    if arguments[0] == "simulate":
        arguments += ["--iterations", "12"]
    if arguments[0] in ("train", "train-all", "models"):
        pytest.skip("what training commands say is tested in tests/mnpo/cli and test_training_docs")
    if arguments[0] in ("leaderboard", "status", "verify") or "--suite" in arguments:
        pytest.skip("those need runs, or minutes: see tests/mnpo/cli and tests/leaderboards")
    if arguments[0] in ("evaluate", "score", "data"):
        pytest.skip("those need models, judges and files: see tests/mnpo/cli/test_evaluate.py")
    finished = subprocess.run(
        [*RUN, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout


@pytest.mark.parametrize("name", ["README.md"])
def test_python_snippets_run(name: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", page(name), flags=re.DOTALL):
        exec(compile(block, name, "exec"), {})


PAGES = [
    page
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md")
    for page in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("name", [str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page(name)):
        if not target.startswith("http"):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_the_readme_shows_what_is_printed(tmp_path: Path) -> None:
    shown = re.search(r"```text\n(.*?)```", page("README.md"), flags=re.DOTALL)
    assert shown
    finished = subprocess.run(
        [*RUN, "simulate", "--game", "cyclic"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        check=True,
    )

    def words(text: str) -> list[list[str]]:
        # Gaps at the level of rounding differ between machines.
        plain = re.sub(r"\d\.\de-1[5-9]", "0", text)
        return [line.split() for line in plain.splitlines() if line.strip()]

    printed = [line for line in words(finished.stdout) if line[0] != "report:"]
    assert printed == words(shown[1])
