"""Only what the options ask for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from leaderboards.board import Section
from leaderboards.collect.measurements import Measurement
from leaderboards.matching import is_of
from leaderboards.options import BoardOptions
from mnpo.errors import InvalidSetting, suggest


def takes_algorithm(options: BoardOptions, algorithm: str) -> bool:
    """Whether an algorithm is asked for; "ht-mnpo" takes its players."""
    own = options.algorithms
    return not own or algorithm in own or algorithm.partition("/player-")[0] in own


def takes_benchmark(options: BoardOptions, benchmark: str) -> bool:
    """Whether a benchmark or game is asked for; a name without its version takes every one."""
    own = options.benchmarks
    return not own or any(is_of(benchmark, name) for name in own)


def takes_judge(options: BoardOptions, judge: str) -> bool:
    """Whether a judge is asked for; figures without a judge are taken whoever is asked for."""
    return not options.judges or not judge or judge in options.judges


def is_taken(options: BoardOptions, own: Measurement) -> bool:
    """Whether a figure is asked for."""
    return (
        takes_benchmark(options, own.row.benchmark)
        and takes_judge(options, own.judge)
        and takes_algorithm(options, own.policy.algorithm)
    )


def restricted(section: Section, options: BoardOptions) -> Section:
    """A finished section without the columns and rows that are not asked for."""
    columns = tuple(
        own
        for own in section.columns
        if takes_benchmark(options, own.benchmark) and takes_judge(options, own.judge)
    )
    keys = {own.key for own in columns}
    entries = []
    for own in section.entries:
        figures = {key: figure for key, figure in own.figures.items() if key in keys}
        if figures and takes_algorithm(options, own.algorithm):
            entries.append(replace(own, figures=figures))
    return replace(section, columns=columns, entries=tuple(entries))


def require_known(
    options: BoardOptions,
    *,
    benchmarks: Iterable[str],
    algorithms: Iterable[str],
    judges: Iterable[str],
) -> None:
    """Refuse names that no run has.

    Raises:
        InvalidSetting: with the nearest known one.
    """
    found = list(dict.fromkeys(benchmarks))
    _require("--benchmarks", options.benchmarks, found, is_of)
    own = set(algorithms)
    own |= {name.partition("/player-")[0] for name in own}
    _require("--algorithms", options.algorithms, sorted(own), str.__eq__)
    _require("--judges", options.judges, [name for name in judges if name], str.__eq__)


def _require(
    option: str, given: Sequence[str], known: Sequence[str], fits: Callable[[str, str], bool]
) -> None:
    for name in given:
        if not any(fits(own, name) for own in known):
            raise InvalidSetting(f"{option}: no run has '{name}'{suggest(name, set(known))}")
