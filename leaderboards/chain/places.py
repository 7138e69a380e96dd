"""Where a chain keeps what follows the training: folders below its run directory."""

from collections.abc import Mapping
from pathlib import Path

from mnpo.runs import sha256_file

EVALUATION = "evaluation"
LEADERBOARD = "leaderboard"
FOLDERS = {"evaluate": EVALUATION, "leaderboard": LEADERBOARD}


def is_whole(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether files are there as they were written.

    Args:
        folder: that holds them.
        files: sha256 by name; none are not whole.
    """
    return bool(files) and all(
        (folder / name).is_file() and sha256_file(folder / name) == sha256
        for name, sha256 in files.items()
    )
