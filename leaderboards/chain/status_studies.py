"""How far a study of the simulator, the standard suite or a verification is."""

import shlex
from collections.abc import Mapping
from typing import Any

from leaderboards.chain.status_reading import Held, disk_bytes
from leaderboards.chain.status_values import Kind, Status

_COMMANDS: Mapping[Kind, str] = {
    "simulation": "mnpo-bench simulate --config {0}/run.yaml --output {0}",
    "suite": "mnpo-bench simulate --suite standard --output {0}",
    "claims": "mnpo-bench verify --output {0}",
}


def study_status(held: Held, folder: str, kind: Kind) -> Status:
    """Finished jobs, and how long they took."""
    # A job's rows are its last file, and their seal is what makes it count.
    seals = (held.folder / "parts").glob("*.json.sha256")
    done = sum(seal.with_suffix("").is_file() for seal in seals)
    planned: Any = held.manifest.get("jobs")
    jobs = f"jobs: {done} of {planned}" if isinstance(planned, int) else f"jobs: {done}"
    state = held.state()
    cost: dict[str, float] = {}
    if "seconds" in held.manifest:
        cost["seconds"] = held.manifest["seconds"]
    return Status(
        folder=folder,
        kind=kind,
        state=state,
        started=held.manifest.get("started"),
        finished=held.manifest.get("finished") if state == "done" else None,
        progress=(jobs,),
        failures=tuple(held.damage()),
        cost=cost | {"bytes": disk_bytes(held.folder)},
        command=(
            None if state == "done" else held.command(_COMMANDS[kind].format(shlex.quote(folder)))
        ),
    )
