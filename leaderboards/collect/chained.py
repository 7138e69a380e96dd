"""A chain's evaluation, held to the training run that it lies in."""

from collections.abc import Sequence

from leaderboards.collect.opening import Opened
from leaderboards.collect.policies import Training
from mnpo.runs.chain import strangers, was_changed


def chain_notes(evaluation: Opened, key: str, trainings: Sequence[Training]) -> list[str]:
    """What does not fit; nothing for an evaluation that lies elsewhere.

    Args:
        evaluation: that was read.
        key: its key on the board.
        trainings: that are on the board.
    """
    outer = evaluation.path.resolve().parent
    run = next((own for own in trainings if own.opened.path.resolve() == outer), None)
    if run is None:
        return []
    notes = []
    others = strangers(run.opened.manifest, evaluation.manifest)
    if others:
        notes.append(f"{key} evaluated other policies than {run.key} trained: {', '.join(others)}")
    if was_changed(run.opened.manifest, evaluation.files.get("manifest.json", "")):
        notes.append(
            f"{key} is not the evaluation that {run.key} ended with: its manifest has changed since"
        )
    return notes
