"""An evaluation inside a chain that is not the chain's, and folders that are no run."""

import json
from pathlib import Path

import pytest
from small_chain import small_chain

from leaderboards.chain.run import plan_chain, run_chain
from leaderboards.chain.status import status_of
from leaderboards.collect import collect_board
from mnpo.cli.judging import judge_policies
from mnpo.errors import DamagedRun, UserError
from mnpo.runs import RunDirectory, sha256_file


def change(file: Path, **entries) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_an_evaluation_of_other_policies_is_told_everywhere(run: Path) -> None:
    assert not status_of(run).failures
    file = run / "evaluation" / "manifest.json"
    inputs = json.loads(file.read_text())["inputs"]
    change(file, inputs=inputs | {"model inpo-seed-0": "0" * 64})
    others, changed = status_of(run).failures
    assert others == "evaluation evaluated other policies than this run trained: inpo-seed-0"
    assert "its manifest has changed" in changed
    notes = [note for note in collect_board([run]).notes if "/evaluation " in note]
    assert len(notes) == 2
    assert "evaluated other policies than" in notes[0]


def test_a_manifest_that_changed_is_noted_anew(run: Path) -> None:
    """The evaluation is still the one that would be made, so that nothing is asked again."""
    file = run / "evaluation" / "manifest.json"
    change(file, resumed=[])
    assert ["its manifest has changed" in line for line in status_of(run).failures] == [True]
    again = run_chain(small_chain(), run, evaluate=judge_policies)
    assert again.taken_over == ("train", "evaluate", "leaderboard")
    noted = RunDirectory(run).manifest()["chain"]["evaluate"]["manifest_sha256"]
    assert noted == sha256_file(file)
    assert not status_of(run).failures


def test_the_folder_of_a_board(whole: Path) -> None:
    with pytest.raises(UserError, match=r"mnpo-bench leaderboard --check .*whole/leaderboard"):
        status_of(whole / "leaderboard")


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: " + "[" * 9999])
def test_settings_without_end(run: Path, text: str) -> None:
    (run / "run.yaml").write_text(text)
    with pytest.raises(DamagedRun, match="cannot be read"):
        status_of(run)


@pytest.mark.parametrize("found", [True, "2"])
def test_formats_that_are_no_number(run: Path, found) -> None:
    change(run / "manifest.json", format=found)
    with pytest.raises(UserError, match=f"format {found!r}, this version reads 1"):
        status_of(run)


def test_a_plan_adds_up_its_time_and_no_rule_costs_any(tmp_path: Path) -> None:
    lines = "\n".join(plan_chain(small_chain(), tmp_path / "out").lines())
    assert "a rule, computed here: no tokens, no cost" in lines
    assert "$" not in lines
    assert "assumed" not in lines
    endpoint = {
        "kind": "endpoint",
        "model": "m",
        "url": "http://localhost:1/v1",
        "price_input": 2.0,
        "price_output": 8.0,
        "max_tokens": 10,
    }
    recipe = small_chain(evaluation__judges=["oracle", endpoint])
    plan = plan_chain(recipe, tmp_path / "out")
    by_endpoint = [own for (_, judge), own in plan.judging.items() if judge == "m"]
    assert len(by_endpoint) == 2
    assert plan.seconds == sum(own.seconds for own in by_endpoint)
    assert plan.describe()["seconds_of_asking"] == plan.seconds
    cost = sum(own.cost for own in by_endpoint)
    assert plan.lines()[-1].startswith(f"all of the asking: about ${cost:.2f} and ")
