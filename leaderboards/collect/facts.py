"""What a reader asks of a run: who ran what, where, and how long it took."""

import shlex
from collections.abc import Mapping
from typing import Any

from leaderboards.collect.opening import Opened


def facts_of(opened: Opened) -> dict[str, Any]:
    """Command, versions, commit, device, seconds, and of a training its model and methods.

    What is not known is absent.
    """
    manifest = opened.manifest
    found = manifest.get("environment")
    where: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    arguments = where.get("arguments")
    facts = {
        "command": shlex.join(["mnpo-bench", *map(str, arguments)])
        if isinstance(arguments, list)
        else None,
        "mnpo_bench": where.get("mnpo_bench"),
        "git_commit": where.get("git_commit"),
        "python": where.get("python"),
        "versions": where.get("versions"),
        "platform": where.get("platform"),
        "device": manifest.get("device"),
        "started": manifest.get("started"),
        "finished": manifest.get("finished"),
        "seconds": manifest.get("seconds"),
        "config_sha256": manifest.get("config_sha256"),
    }
    if opened.kind == "training":
        model = opened.config.get("model")
        facts["model"] = model.get("name") if isinstance(model, Mapping) else None
        facts["methods"] = opened.config.get("methods")
    return {name: value for name, value in facts.items() if value is not None}
