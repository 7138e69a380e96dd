"""`status` as a user meets it; tests/leaderboards/chain has what it says of which run."""

import json
from pathlib import Path

from mnpo.runs import RunDirectory

CONFIG = {"recipe": "r", "methods": {"inpo": {}, "\x1b[31mred": {}}, "seeds": [0]}


def test_a_simulation_from_plan_to_end(bench, tmp_path: Path) -> None:
    words = ("simulate", "--algorithms", "inpo", "--iterations", 5)
    assert bench(*words, "--output", "out").code == 0
    outcome = bench("status", "out")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.startswith("out: simulation, done, started ")
    assert "jobs: 1 of 1" in outcome.out
    assert "on disk" in outcome.out
    assert "goes on" not in outcome.out


def test_several_runs_one_of_them_none(bench, tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "run", CONFIG)
    run.update_manifest(failed=[{"method": "inpo", "seed": 0, "reason": "no memory\x07"}])
    outcome = bench("status", "run", "nowhere")
    assert outcome.code == 2
    assert outcome.errors == ["mnpo-bench: nowhere does not exist; give a run directory"]
    assert "run: training, interrupted" in outcome.out
    assert "done:     0 of 2" in outcome.out
    assert "failed" in outcome.out
    assert "goes on:  mnpo-bench train-all --recipe run --output run" in outcome.out
    assert "\x1b" not in outcome.out
    assert "\x07" not in outcome.out
    told = json.loads(bench("status", "run", "--json").out)
    assert [own["state"] for own in told] == ["interrupted"]
    assert (told[0]["done"], told[0]["failed"], told[0]["left"]) == (0, 1, 1)


def test_no_run_is_one_line(bench, tmp_path: Path) -> None:
    for words in ([], ["."], ["nowhere"]):
        outcome = bench("status", *words)
        assert outcome.code == 2
        assert len(outcome.errors) == 1 or not words
        assert "Traceback" not in outcome.err
