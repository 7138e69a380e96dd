"""Whether a saved policy is still what was written."""

from pathlib import Path

from mnpo.errors import DamagedRun
from mnpo.runs.files import sha256_file
from mnpo.training.models.hashing import read_config

#: Written last into a checkpoint: the sha256 of every other file.
HASHES = "hashes.json"


def verify_policy(folder: Path) -> None:
    """Check that a saved policy is what was written.

    Raises:
        DamagedRun: a file is missing, truncated or changed, or weights were added.
    """
    if not (folder / HASHES).is_file():
        raise DamagedRun(f"{folder}: no {HASHES}, so it was not saved whole; make it again")
    listed = read_config(folder / HASHES)
    for name, sha256 in listed.items():
        path = folder / name
        if not path.is_file():
            raise DamagedRun(f"{path}: is missing; make the checkpoint again")
        if sha256_file(path) != sha256:
            raise DamagedRun(f"{path}: has changed since it was saved; make the checkpoint again")
    added = [path.name for path in folder.glob("*.safetensors") if path.name not in listed]
    if added:
        raise DamagedRun(f"{folder}: {added[0]} was added after it was saved; remove it")
