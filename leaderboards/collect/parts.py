"""The parts of a board, each from the runs that have something for it."""

from collections.abc import Iterable
from functools import partial

from leaderboards.board import LeftOut, Run, Section
from leaderboards.collect.claims_runs import claims_table_of
from leaderboards.collect.filters import require_known, restricted
from leaderboards.collect.gap_plots import gap_plots
from leaderboards.collect.gathered import MOST_DRAWN, Known, Parts, of_kind, or_left_out, run_of
from leaderboards.collect.model_parts import add_models
from leaderboards.collect.places import Given, left_out
from leaderboards.collect.simulation_runs import names_of, read_simulated, simulation_section
from leaderboards.collect.sorting import sort_sections, whole_keys
from leaderboards.collect.suite_runs import suite_names, suite_sections
from leaderboards.options import BoardOptions
from mnpo.errors import UserError


def assemble(given: Given, options: BoardOptions) -> Parts:
    """Read all runs and make the parts.

    Raises:
        UserError: runs that contradict one another, or options that name what no run has.
    """
    parts = Parts(left_out=list(given.left_out), notes=list(given.notes))
    known = Known()
    sections: list[Section] = []
    add_models(given, options, parts, sections, known)
    _add_suites(given, options, parts, sections, known)
    _add_simulations(given, options, parts, sections, known)
    for key, opened in of_kind(given, "claims").items():
        table = or_left_out(parts, opened, partial(claims_table_of, opened, key))
        if table is not None:
            parts.tables.append(table)
            parts.runs.append(run_of(key, opened))
    _add_files(given, options, parts, sections, known)
    parts.notes += _versions(parts.runs)
    if parts.runs:
        require_known(
            options,
            benchmarks=known.benchmarks,
            algorithms=known.algorithms,
            judges=known.judges,
        )
    sections = [own for own in sections if own.entries]
    parts.columns = whole_keys(sections, options.columns)
    parts.sections = sort_sections(sections, options.sort, parts.columns)
    return parts


def _add_suites(
    given: Given, options: BoardOptions, parts: Parts, sections: list[Section], known: Known
) -> None:
    for key, opened in of_kind(given, "suite").items():
        found = or_left_out(parts, opened, partial(suite_sections, opened, key, options))
        if found is not None:
            sections += found
            families, algorithms = suite_names(opened)
            known.benchmarks |= families
            known.algorithms |= algorithms
            parts.runs.append(run_of(key, opened))


def _add_simulations(
    given: Given, options: BoardOptions, parts: Parts, sections: list[Section], known: Known
) -> None:
    drawn = 0
    for key, opened in of_kind(given, "simulation").items():
        found = or_left_out(parts, opened, partial(read_simulated, opened, options))
        if found is None:
            continue
        games, algorithms = names_of(opened)
        known.benchmarks |= games
        known.algorithms |= algorithms
        section = or_left_out(parts, opened, partial(simulation_section, opened, key, found))
        if section is None:
            continue
        sections.append(section)
        if drawn < MOST_DRAWN:
            drawn += 1
            parts.plots += or_left_out(parts, opened, partial(gap_plots, opened, key, found)) or []
        parts.runs.append(run_of(key, opened))


def _add_files(
    given: Given, options: BoardOptions, parts: Parts, sections: list[Section], known: Known
) -> None:
    """Published boards and win matrices."""
    from leaderboards.collect.matrices import matrix_pool
    from leaderboards.collect.published import published_section

    for key, path in given.files.items():
        try:
            board = published_section(path, key)
            matrix = None if board is not None else matrix_pool(path, key, options.seed)
        except UserError as error:
            parts.left_out.append(left_out(path, error))
            continue
        if board is not None:
            run, section = board
            parts.runs.append(run)
            known.benchmarks |= {own.benchmark for own in section.columns}
            known.algorithms |= {own.algorithm for own in section.entries}
            known.judges |= {own.judge for own in section.columns}
            sections.append(restricted(section, options))
        elif matrix is not None:
            run, pool = matrix
            parts.runs.append(run)
            parts.pools.append(pool)
        else:
            parts.left_out.append(
                LeftOut(
                    str(path),
                    "is no run directory, and no published board or win matrix of a known form",
                )
            )


def _versions(runs: Iterable[Run]) -> list[str]:
    """Who scored what, where it was not the same version."""
    found: dict[str, list[str]] = {}
    for own in sorted(runs, key=lambda run: run.key):
        if version := own.facts.get("mnpo_bench"):
            found.setdefault(str(version), []).append(own.key)
    if len(found) < 2:
        return []
    told = "; ".join(f"{version}: {', '.join(keys)}" for version, keys in sorted(found.items()))
    return [f"the runs were made by different versions of mnpo-bench ({told})"]
