"""Where and with what a run was made, for its manifest."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import mnpo

#: Distributions whose versions can move a number.
_RECORDED = (
    "numpy",
    "scipy",
    "evalica",
    "torch",
    "transformers",
    "trl",
    "accelerate",
    "pyarrow",
    "ray",
)


def environment() -> dict[str, Any]:
    """Versions, commit and hardware, JSON-ready. Nothing that identifies a person or a secret."""
    versions = {}
    for name in _RECORDED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "mnpo_bench": mnpo.__version__,
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "versions": versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "arguments": sys.argv[1:],
    }


@cache
def git_commit() -> str | None:
    """The commit of the source checkout, with "+changes" when files differ; None outside one."""
    root = Path(mnpo.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changes else "")


def _git(root: Path, *arguments: str) -> str:
    finished = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *arguments],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return finished.stdout.strip()
