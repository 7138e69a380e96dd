"""Figures whose judge is the very oracle that the policies were trained on."""

from collections.abc import Mapping, Sequence

from leaderboards.collect.columns import title_of
from leaderboards.collect.filters import is_taken
from leaderboards.collect.measurements import Material
from leaderboards.collect.policies import Policies, Training
from leaderboards.options import BoardOptions
from mnpo.runs.files import digest


def oracle_notes(
    trainings: Sequence[Training], policies: Policies, material: Material, options: BoardOptions
) -> list[str]:
    """One line for each training run of which figures are shown that its own oracle gave.

    A training run's rows bear the hash of the oracle's description; an evaluation's bear that of
    the judge, which is the oracle wrapped: equal oracles have unequal hashes there.
    """
    shown = [own for own in material.measurements if own.judge and is_taken(options, own)]
    notes: dict[str, None] = {}
    for run in trainings:
        oracle = run.opened.manifest.get("oracle")
        if not isinstance(oracle, Mapping):
            continue
        hashes = {digest(oracle), digest({"kind": "oracle", "oracle": oracle})}
        group = policies.group_of(run.key)
        by_judge: dict[str, dict[str, None]] = {}
        for own in shown:
            if own.policy.group == group and own.row.hashes.get("judge") in hashes:
                by_judge.setdefault(own.judge, {})[title_of(own)] = None
        if by_judge:
            told = "; ".join(
                f"{', '.join(titles)} (judge {judge})" for judge, titles in by_judge.items()
            )
            name = policies.groups[group].name
            notes[
                f"judged by the oracle that the policies ({name}) were trained on: {told}: it says "
                "how well a method follows its oracle, not how good its answers are"
            ] = None
    return list(notes)
