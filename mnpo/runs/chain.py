"""Stages that one run directory goes through one after the other, in its one manifest.

The manifest's ``chain`` says of each stage whether it is "waiting", "running", "done" or "failed",
when it started, how long it took, and what it left; its overall ``status`` is "done" only when
every stage is. A run that is trained and no more has no such entry.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: In order; a chain may end early.
STAGES = ("train", "evaluate", "leaderboard")
#: Before a model's name, among the inputs of an evaluation.
_MODEL = "model "


def planned(
    stages: Sequence[str], before: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """The manifest's ``chain`` before anything is done.

    Args:
        stages: that are to be gone through.
        before: what an earlier attempt noted of them, which may still be of use.
    """
    return {name: {**(before or {}).get(name, {}), "status": "waiting"} for name in stages}


def entered(manifest: Mapping[str, Any], stage: str, **facts: Any) -> dict[str, Any]:
    """What of a manifest changes as a stage starts or ends: its ``chain`` and ``status``.

    Args:
        manifest: as it is.
        stage: which.
        **facts: of the stage; ``status`` among them. They replace what stood there as it starts
            ("running"), and are added as it ends.
    """
    chain = {name: dict(own) for name, own in stages_of(manifest).items()}
    before = chain.get(stage, {})
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if facts.get("status") == "running":
        facts = {"started": now} | facts
        before = {}
    elif facts.get("status") in ("done", "failed"):
        facts = {"finished": now} | facts
    chain[stage] = before | facts
    chain = {name: chain[name] for name in STAGES if name in chain}
    return {"chain": chain, "status": overall(chain)}


def overall(chain: Mapping[str, Mapping[str, Any]]) -> str:
    """The status of the whole: "done" only if all stages are."""
    found = [own.get("status") for own in chain.values()]
    if all(status == "done" for status in found):
        return "done"
    if "running" in found or "failed" not in found:
        return "running"
    return "failed"


def stages_of(manifest: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The manifest's ``chain``; empty where it has none, or one that nobody can read."""
    chain = manifest.get("chain")
    if not isinstance(chain, Mapping) or not all(isinstance(c, Mapping) for c in chain.values()):
        return {}
    return chain


def training_status(manifest: Mapping[str, Any]) -> Any:
    """The status of the training in a run directory, whatever follows it."""
    chain = stages_of(manifest)
    return chain["train"].get("status") if "train" in chain else manifest.get("status")


def was_changed(manifest: Mapping[str, Any], sha256: str) -> bool:
    """Whether a chain's evaluation is another one than its training run noted.

    Args:
        manifest: of the training run.
        sha256: of the evaluation's manifest, as it is.
    """
    noted = stages_of(manifest).get("evaluate", {}).get("manifest_sha256")
    return noted is not None and noted != sha256


def strangers(training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[str]:
    """Models of a chain's evaluation whose weights its training run neither made nor started from.

    Args:
        training: the run's manifest.
        evaluation: the manifest of the evaluation inside; what it says nothing of is no stranger.
    """
    methods, inputs = training.get("methods"), evaluation.get("inputs")
    if not isinstance(methods, list) or not isinstance(inputs, Mapping):
        return []
    known = {training.get("start")}
    for own in methods:
        policies = own.get("policies") if isinstance(own, Mapping) else None
        known |= {str(policy) for policy in policies} if isinstance(policies, list) else set()
    return [
        name.removeprefix(_MODEL)
        for name, sha256 in inputs.items()
        if name.startswith(_MODEL) and sha256 not in known
    ]
