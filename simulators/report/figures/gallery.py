"""All pictures of a report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.report.content import ReportContent, RunCurves
from simulators.report.figures import curves, orbits, probabilities, sweep
from simulators.report.figures.inline import Picture, drawing
from simulators.report.figures.palette import Cast, cast

MAX_ORBITS = 12


@dataclass(frozen=True)
class Section:
    """Pictures that belong together.

    Attributes:
        name: anchor on the page.
        title: heading.
        caption: for all of them.
        pictures: at least one.
        small: whether they are small multiples.
    """

    name: str
    title: str
    caption: str
    pictures: Sequence[Picture]
    small: bool = False


def gallery(content: ReportContent) -> list[Section]:
    """The sections that have something to show, drawn."""
    if not content.curves and not content.swept:
        return []
    series = cast(content)
    with drawing():
        sections = [
            Section(
                "sweep",
                "Sweep",
                "Where each run ended, against the swept parameter.",
                sweep.sweep_pictures(content, series),
            ),
            Section(
                "gaps",
                "Convergence",
                _gap_caption(content),
                curves.gap_pictures(content, series),
            ),
            _trajectories(content, series),
        ]
    return [section for section in sections if section.pictures]


def _gap_caption(content: ReportContent) -> str:
    drawn = curves.drawn_runs(content)
    text = "Both axes are logarithmic: a power of t is a straight line, an exponential bends down."
    if len(content.rows) > len(drawn):
        text += f" Drawn are {len(drawn):,} of {len(content.rows):,} runs"
        swept = bool(content.swept)
        text += ": each algorithm's best settings, and others over the sweep." if swept else "."
    return text


def _trajectories(content: ReportContent, series: Cast) -> Section:
    """One run a series with kept policies, all on the game and temperature of the first one."""
    name, title = "trajectories", "Where the policies go"
    runs: dict[str, RunCurves] = {}
    for run in content.curves:
        if _drawable(content, run) and (not runs or run.game == next(iter(runs.values())).game):
            runs.setdefault(series.name(run), run)
    chosen = list(runs.values())[:MAX_ORBITS]
    if not chosen:
        return Section(name, title, "", [])
    titles = list(runs)[:MAX_ORBITS]
    game = content.games[chosen[0].game]
    seen = orbits.view(game)
    caption = ""
    if len(chosen) < len(content.curves):
        caption = f"{len(chosen)} of {len(content.curves)} drawn runs are shown"
        if len({run.game for run in content.curves}) > 1:
            caption += f", on {game.name} judged at temperature {game.temperature:g}"
        caption += ". "
    if seen is None:
        pictures = probabilities.probability_pictures(game, chosen, titles)
        return Section(name, title, caption + probabilities.CAPTION, pictures, small=True)
    pictures = orbits.orbit_pictures(game, chosen, seen, series, titles)
    return Section(name, title, caption + seen.caption, pictures, small=True)


def _drawable(content: ReportContent, run: RunCurves) -> bool:
    if run.policies is None or not len(run.policies) or run.game >= len(content.games):
        return False
    shape = (len(run.policies), len(content.games[run.game].actions))
    return run.policies.shape == shape and bool(np.isfinite(run.policies).all())
