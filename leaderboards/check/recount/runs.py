"""Which way a run is counted again, and whether all of its files are what it wrote."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from leaderboards.board import Run
from leaderboards.check.recount.evaluations import recount_evaluation
from leaderboards.check.recount.found import Recount
from leaderboards.check.recount.simulation import recount_simulation
from leaderboards.check.recount.suite import recount_suite
from leaderboards.check.recount.training import recount_training
from mnpo.errors import UserError

_KINDS: Mapping[str, Callable[[Path, str], Iterator[Recount]]] = {
    "evaluation": recount_evaluation,
    "training": recount_training,
    "simulation": recount_simulation,
    "suite": recount_suite,
}
_WITHOUT = {
    "board": "a published board: its verdicts are elsewhere",
    "matrix": "a matrix of win rates: there is nothing beneath it",
    "claims": "claims: 'mnpo-bench verify' computes them anew",
}


def recount(run: Run, path: Path) -> Iterator[Recount]:
    """Everything of a run that can be counted again.

    Args:
        run: as on the board.
        path: where it is now.
    """
    method = _KINDS.get(run.kind)
    if method is None:
        yield Recount(run.key, why_not=_WITHOUT.get(run.kind, "nothing is known beneath it"))
        return
    yield _outputs(run, path)
    try:
        yield from method(path, run.key)
    except UserError as error:
        yield Recount(run.key, problems=(f"{run.key}: {error}",))


def _outputs(run: Run, path: Path) -> Recount:
    """Every output of the manifest is what the run wrote, also what the board did not read."""
    try:
        outputs = json.loads((path / "manifest.json").read_text("utf-8")).get("outputs", {})
        changed = [
            f"{run.key}: {path / name} is not what the run wrote (its sha256 is not the manifest's)"
            for name, sha256 in outputs.items()
            if name not in run.files and _sha256(path / name) != sha256
        ]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        return Recount(run.key, problems=(f"{run.key}: its manifest cannot be read ({error})",))
    return Recount(run.key, problems=tuple(changed))


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""
