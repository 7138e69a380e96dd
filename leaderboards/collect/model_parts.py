"""What trainings and evaluations have for a board: their table, pools, curves and costs."""

from collections.abc import Iterable
from functools import partial

from leaderboards.board import LeftOut, Section
from leaderboards.collect.chained import chain_notes
from leaderboards.collect.costs import evaluation_costs, training_costs
from leaderboards.collect.evaluation_runs import failures, read_evaluation
from leaderboards.collect.gathered import MOST_DRAWN, Known, Parts, of_kind, or_left_out, run_of
from leaderboards.collect.judged_by_own import oracle_notes
from leaderboards.collect.measurements import Material, Paired
from leaderboards.collect.models import models_section
from leaderboards.collect.opening import Opened
from leaderboards.collect.places import Given
from leaderboards.collect.policies import Policies, Training, find_policies
from leaderboards.collect.pools import run_pools
from leaderboards.collect.prompt_comparisons import CROSS_PLAY
from leaderboards.collect.training_plots import group_runs, training_plots
from leaderboards.collect.training_runs import (
    failed_methods,
    read_training,
    training_measurements,
)
from leaderboards.options import BoardOptions
from mnpo.errors import DamagedRun


def add_models(
    given: Given, options: BoardOptions, parts: Parts, sections: list[Section], known: Known
) -> None:
    """Trainings and evaluations: their table, pools, curves and costs."""
    trainings = _trainings(given, parts)
    policies = find_policies(trainings)
    parts.notes += policies.notes
    material = Material()
    for run in trainings:
        material.measurements += training_measurements(run, policies)
    spent: dict[str, tuple[Opened, list[str]]] = {}
    for key, opened in of_kind(given, "evaluation").items():
        found = or_left_out(parts, opened, partial(read_evaluation, opened, key, policies))
        if found is None:
            continue
        material.measurements += found.measurements
        material.paired += found.paired
        spent[key] = (opened, found.spend)
        if opened.status == "failed":
            parts.notes.append(_partly(key, failures(opened)))
        parts.notes += chain_notes(opened, key, trainings)
    parts.notes += policies.tell_apart()
    known.benchmarks |= {own.row.benchmark for own in material.measurements}
    known.algorithms |= {own.policy.algorithm for own in material.measurements}
    known.judges |= {own.judge for own in material.measurements}
    read = {run.key: run.opened for run in trainings} | {key: own[0] for key, own in spent.items()}
    for key, opened in read.items():
        judges = _judges(material, key)
        material.paired += _add_pools(parts, key, opened, judges, options)
    section = models_section(material, policies, options)
    if section is not None:
        sections.append(section)
    parts.notes += oracle_notes(trainings, policies, material, options)
    _add_training_parts(trainings, policies, options, parts)
    table = evaluation_costs(spent)
    if table is not None:
        parts.tables.append(table)
    parts.runs += [run_of(key, opened) for key, opened in read.items()]


def _judges(material: Material, key: str) -> dict[str, None]:
    """Whom a run's cross-play asked, in order."""
    return {
        own.row.judge: None
        for own in material.measurements
        if own.row.source.run == key and own.row.benchmark == CROSS_PLAY and own.row.judge
    }


def _add_pools(
    parts: Parts, key: str, opened: Opened, judges: dict[str, None], options: BoardOptions
) -> list[Paired]:
    try:
        found = run_pools(opened, key, judges, options)
    except DamagedRun as error:
        parts.left_out.append(LeftOut(f"{key}: ratings of its cross-play", str(error)))
        return []
    parts.pools += found.pools
    parts.left_out += found.left_out
    return found.paired


def _add_training_parts(
    trainings: list[Training], policies: Policies, options: BoardOptions, parts: Parts
) -> None:
    by_group = group_runs(trainings, policies)
    groups = {policies.groups[group].name: runs for group, runs in by_group.items()}
    try:
        table = training_costs(groups, options)
        if table is not None:
            parts.tables.append(table)
        for name, runs in list(groups.items())[:MOST_DRAWN]:
            parts.plots += training_plots(runs, name, options)
    except DamagedRun as error:
        parts.left_out.append(LeftOut("training curves and costs", str(error)))


def _trainings(given: Given, parts: Parts) -> list[Training]:
    found = []
    for key, opened in of_kind(given, "training").items():
        run = or_left_out(parts, opened, partial(read_training, opened, key))
        if run is not None:
            found.append(run)
            if opened.status == "failed":
                parts.notes.append(_partly(key, failed_methods(opened)))
    return found


def _partly(key: str, failed: Iterable[str]) -> str:
    reasons = "; ".join(failed) or "its manifest gives no reason"
    return (
        f"{key} failed in part, and what was scored stands here without the hashes that a finished "
        f"run seals: {reasons}"
    )
