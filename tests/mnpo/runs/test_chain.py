import pytest

from mnpo.runs.chain import STAGES, entered, overall, planned, stages_of, training_status


def test_a_run_is_done_only_when_every_stage_is() -> None:
    manifest: dict = {"chain": planned(STAGES), "status": "running"}
    for stage in STAGES:
        manifest |= entered(manifest, stage, status="running")
        assert manifest["status"] == "running"
        assert manifest["chain"][stage]["started"]
        manifest |= entered(manifest, stage, status="done", seconds=2.0)
        assert manifest["chain"][stage].keys() == {*("status", "started", "finished", "seconds")}
        assert manifest["status"] == ("done" if stage == STAGES[-1] else "running")
    # One that starts anew forgets what it left before, and the others keep theirs.
    again = entered(manifest, "evaluate", status="running")
    assert again["chain"]["evaluate"].keys() == {"status", "started"}
    assert again["chain"]["train"]["seconds"] == 2.0
    assert again["status"] == "running"


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        (["done", "done", "done"], "done"),
        (["done", "waiting", "waiting"], "running"),
        (["failed", "running", "waiting"], "running"),
        (["failed", "done", "done"], "failed"),
        (["done", "failed", "done"], "failed"),
        (["done"], "done"),
    ],
)
def test_the_overall_status(statuses: list[str], wanted: str) -> None:
    chain = {name: {"status": s} for name, s in zip(STAGES, statuses, strict=False)}
    assert overall(chain) == wanted


def test_the_training_is_recognised_with_and_without_a_chain() -> None:
    assert training_status({"status": "done"}) == "done"
    chain = {"train": {"status": "done"}, "evaluate": {"status": "failed"}}
    assert training_status({"status": "failed", "chain": chain}) == "done"
    assert training_status({"status": "done", "chain": None}) == "done"
    assert stages_of({"chain": 5}) == stages_of({"chain": {"train": 5}}) == {}


def test_what_an_earlier_attempt_left_waits_with_its_stage() -> None:
    before = {"leaderboard": {"status": "done", "files": {"a": "b"}}}
    assert planned(["leaderboard"], before) == {
        "leaderboard": {"status": "waiting", "files": {"a": "b"}}
    }
