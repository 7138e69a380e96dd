"""matplotlib figures as small, self-contained, deterministic SVG for an HTML page."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from simulators.report.figures.palette import GRID, INK, VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT_SIZE = 9.0
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: searchable, and in the reader's font
    "svg.hashsalt": "mnpo-bench",
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
    "font.size": FONT_SIZE,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "axes.unicode_minus": True,
    "lines.solid_capstyle": "round",
    "axes.edgecolor": GRID,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_LONG_DECIMALS = re.compile(r"(\.\d\d)\d+")
_HEX = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@dataclass(frozen=True)
class Picture:
    """One figure of the report.

    Attributes:
        title: above it.
        svg: markup, safe to put into the page as it is.
        caption: says what one sees.
        badge: a verdict to show beside the title, or "".
    """

    title: str
    svg: str
    caption: str = ""
    badge: str = ""


@contextmanager
def drawing() -> Iterator[None]:
    """The settings figures are drawn with; leaves the process's own as they were."""
    from matplotlib import rc_context, rcdefaults, rcParams

    with rc_context(), warnings.catch_warnings():
        # The reader's browser has the glyphs that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        rcdefaults()  # whatever the user's matplotlibrc says
        rcParams.update(_RC)
        yield


def canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    """An empty figure of ``width`` x ``height`` points without window or global state."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    return figure, axes


def to_svg(figure: "Figure", name: str, description: str) -> str:
    """Inline SVG markup: no prolog, no address, colours as CSS variables, unique ids.

    Args:
        figure: drawn within `drawing`.
        name: unique on the page; prefixes the ids.
        description: for readers who do not see it.
    """
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    # Written by matplotlib a line above; the parser drops comments and the document type.
    root = ElementTree.fromstring(buffer.getvalue())
    used = set()
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key.endswith("}href"):
                used.add(value.removeprefix("#"))
            used.update(_REFERENCE.findall(value))
    for parent in root.iter():
        for child in [c for c in parent if c.tag.endswith(("}style", "}metadata"))]:
            parent.remove(child)
    for element in root.iter():
        _simplify(element, name, used)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.attrib.update({"role": "img", "aria-label": description})
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text)


def _simplify(element: ElementTree.Element, name: str, used: set[str]) -> None:
    element.tag = element.tag.rpartition("}")[2]
    attributes = dict(element.attrib)
    element.attrib.clear()
    for key, value in attributes.items():
        key = key.rpartition("}")[2]
        if key == "id":
            if value not in used:
                continue
            value = f"{name}-{value}"
        elif key == "href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif key == "style":
            value = _style(value)
        elif key in ("d", "x", "y", "transform", "width", "height"):
            value = _LONG_DECIMALS.sub(r"\1", " ".join(value.split()))
            if key == "transform" and value.startswith(("rotate(-0 ", "rotate(0 ")):
                continue
        element.set(key, _REFERENCE.sub(rf"url(#{name}-\1)", value))


def _style(value: str) -> str:
    """The declarations without fonts, with colours as variables."""
    kept = [
        part.strip()
        for part in value.split(";")
        if part.strip() and not part.strip().startswith("font-family")
    ]
    return _HEX.sub(_variable, "; ".join(kept))


def _variable(match: re.Match[str]) -> str:
    color = match[0]
    return f"var({VARIABLES[color][0]})" if color in VARIABLES else color
