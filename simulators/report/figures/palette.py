"""Colours by role, in light and dark, and which algorithm gets which.

Figures are drawn in the light colours; on the page each becomes a CSS variable, so that a dark
page shows the dark one. The series follow Okabe and Ito's palette (told apart with the common
forms of colour blindness), darkened or lightened to stand out from each background; after the
eighth the dashes change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulators.report.content import ReportContent, RunCurves
from simulators.report.formats import shortened

INK, MUTED, GRID, SURFACE = "#1c1d22", "#686a75", "#dcdde4", "#ffffff"
_DARK_INK, _DARK_MUTED, _DARK_GRID, _DARK_SURFACE = "#ececf1", "#a3a5b2", "#3a3c46", "#1b1c22"

_SERIES = (
    ("#005fa8", "#4d9ff0"),
    ("#cc4a00", "#ff8248"),
    ("#008a5e", "#2fcb9a"),
    ("#a83c92", "#e68fcd"),
    ("#dd9c00", "#f7c552"),
    ("#45aee6", "#a9deff"),
    ("#3f4049", "#c9cad4"),
    ("#8a7b00", "#d8cd4a"),
)
_DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "solid",
    (0, (5.0, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6.0, 1.5, 1.2, 1.5)),
)

#: light colour -> (CSS variable, dark colour)
VARIABLES: dict[str, tuple[str, str]] = {
    INK: ("--ink", _DARK_INK),
    MUTED: ("--muted", _DARK_MUTED),
    GRID: ("--grid", _DARK_GRID),
    SURFACE: ("--surface", _DARK_SURFACE),
    **{light: (f"--series-{i}", dark) for i, (light, dark) in enumerate(_SERIES, start=1)},
}


def variables(dark: bool) -> str:
    """The declarations of all colours, for a style sheet."""
    return " ".join(
        f"{name}: {other if dark else light};" for light, (name, other) in VARIABLES.items()
    )


#: Settings that are told apart, and letters for them and for algorithms beside a curve's end.
MAX_LABELS, LABEL, NAME = 24, 26, 16


@dataclass(frozen=True)
class Style:
    """How one series is drawn."""

    color: str
    dashes: str | tuple[int, tuple[float, ...]]


def style(index: int) -> Style:
    """The style of the index-th series."""
    cycle, color = divmod(index, len(_SERIES))
    return Style(_SERIES[color][0], _DASHES[cycle % len(_DASHES)])


@dataclass(frozen=True)
class Cast:
    """Which series there are: one an algorithm, or one a label where settings are told apart.

    Attributes:
        styles: by name, in order; algorithms are there in any case.
        by_label: whether series are labels.
    """

    styles: Mapping[str, Style]
    by_label: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Series by name, in order."""
        return tuple(self.styles)

    def name(self, curves: RunCurves) -> str:
        """The series of a run."""
        return curves.label if self.by_label else curves.algorithm

    def style(self, name: str) -> Style:
        """The style of a series, the same in every figure."""
        return self.styles[name]

    def label(self, name: str) -> str:
        """Its name where there is little room."""
        return shortened(name, LABEL if self.by_label else NAME)


def cast(content: ReportContent) -> Cast:
    """The series of a report.

    Where few enough settings of an algorithm are drawn, each is a series: of one algorithm in a
    colour of its own, of several in the algorithm's colour with dashes of its own.
    """
    ran = [str(row["algorithm"]) for row in content.rows if "algorithm" in row]
    algorithms = _each_once([*ran, *(run.algorithm for run in content.curves)])
    drawn: dict[str, list[str]] = {}
    for run in content.curves:
        labels = drawn.setdefault(run.algorithm, [])
        if run.label not in labels:
            labels.append(run.label)
    styles = {name: style(place) for place, name in enumerate(algorithms)}
    number = sum(map(len, drawn.values()))
    if number == len(drawn) or number > MAX_LABELS:
        return Cast(styles, by_label=False)
    if len(algorithms) == 1:
        (labels,) = drawn.values()
        return Cast(styles | {name: style(place) for place, name in enumerate(labels)}, True)
    for algorithm, labels in drawn.items():
        base = styles[algorithm]
        for place, label in enumerate(labels):
            styles[label] = Style(base.color, _DASHES[place % len(_DASHES)])
    return Cast(styles, by_label=True)


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
