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
