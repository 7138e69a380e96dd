"""What is done, running, failed and left in a run directory, and what it has cost."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from leaderboards.chain.places import EVALUATION, LEADERBOARD, is_whole
from leaderboards.chain.status_evaluation import evaluation_status
from leaderboards.chain.status_reading import Held, read_run
from leaderboards.chain.status_studies import study_status
from leaderboards.chain.status_training import training_status
from leaderboards.chain.status_values import Status
from mnpo.errors import DamagedRun, UserError
from mnpo.runs.chain import stages_of, strangers, was_changed


def status_of(folder: str | Path) -> Status:
    """The status of a run of any kind; writes nothing, and may be asked while the run goes on.

    Raises:
        UserError: there is no run, one of a newer format, or one of no kind that is known.
        DamagedRun: its files cannot be read.
    """
    held = read_run(Path(folder))
    try:
        found = _status(held, str(folder))
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DamagedRun(
            f"{folder}: run.yaml and manifest.json do not fit together; the run is damaged"
        ) from None
    return _with_chain(held, found) if found.kind == "chain" else found


def _status(held: Held, folder: str) -> Status:
    keys = set(held.config)
    if {"recipe", "methods", "seeds"} <= keys:
        return training_status(held, folder)
    if {"models", "benchmarks"} <= keys:
        return evaluation_status(held, folder)
    if "suite" in keys:
        return study_status(held, folder, "suite")
    if "claims" in keys:
        return study_status(held, folder, "claims")
    if {"game", "algorithms"} <= keys:
        return study_status(held, folder, "simulation")
    raise UserError(f"{folder} holds a run of no kind that this version knows")


def _with_chain(held: Held, found: Status) -> Status:
    """The stages after the training: the evaluation inside, the board, and why they failed."""
    within, failures = [], list(found.failures)
    place = held.folder / EVALUATION
    if (place / "run.yaml").is_file():
        try:
            within.append(replace(status_of(place), command=None))
        except UserError as error:
            failures.append(str(error))
        else:
            failures += _misfits(held, place / "manifest.json")
    for name, own in stages_of(held.manifest).items():
        failures += [f"{name}: {reason}" for reason in own.get("reasons", ())]
        made = name == "leaderboard" and own.get("status") == "done"
        if made and not is_whole(held.folder / LEADERBOARD, own.get("files", {})):
            failures.append("the leaderboard's files are not what was written")
    return replace(found, within=tuple(within), failures=tuple(failures))


def _misfits(held: Held, file: Path) -> list[str]:
    """Why the evaluation inside is not the one of this run."""
    if held.alive or not file.is_file():
        return []
    content = file.read_bytes()
    found = []
    others = strangers(held.manifest, json.loads(content))
    if others:
        found.append(
            f"{EVALUATION} evaluated other policies than this run trained: {', '.join(others)}"
        )
    if was_changed(held.manifest, hashlib.sha256(content).hexdigest()):
        found.append(
            f"{EVALUATION} is not the evaluation that this run ended with: its manifest has changed"
        )
    return found
