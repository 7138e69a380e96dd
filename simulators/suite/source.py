"""Which source code a suite's figures depend on."""

from functools import cache
from pathlib import Path

import mnpo
from mnpo.runs import digest, sha256_file

_PACKAGES = ("dynamics", "equilibria", "games", "metrics")
_MODULES = ("settings", "draws", "play", "cell")


@cache
def source_digest() -> str:
    """Hash of the files that a figure depends on: games, dynamics, algorithms, this procedure.

    Not of those that carry out, sum up and show: a changed word in a table repeats no run.
    """
    here = Path(__file__).resolve().parent
    package = Path(mnpo.__file__).resolve().parent
    folders = [*(here.parent / name for name in _PACKAGES), package / "algorithms"]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    files += [here / f"{name}.py" for name in _MODULES]
    return digest([[path.name, sha256_file(path)] for path in files])
