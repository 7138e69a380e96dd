"""How verdicts are named in little space, ordered and toned."""

from dataclasses import dataclass

from simulators.metrics.verdict import Verdict


@dataclass(frozen=True)
class Look:
    """A verdict on the page.

    Attributes:
        short: name for a narrow column.
        tone: name of its colour in the style sheet.
        symbol: tells it apart without colour.
        terminal: rich style.
    """

    short: str
    tone: str
    symbol: str
    terminal: str


#: Best first.
LOOKS = {
    Verdict.CONVERGES.value: Look("converges", "good", "✓", "green"),
    Verdict.AVERAGE.value: Look("average only", "average", "≈", "cyan"),
    Verdict.SETTLES.value: Look("settles elsewhere", "settled", "◎", "yellow"),
    Verdict.CYCLES.value: Look("cycles", "cycling", "↻", "magenta"),
    Verdict.DIVERGES.value: Look("diverges", "bad", "↗", "red"),
    Verdict.UNDECIDED.value: Look("undecided", "unknown", "?", "dim"),
}


def look(verdict: str) -> Look:
    """The look of a verdict; one that is not known keeps its name."""
    return LOOKS.get(verdict, Look(verdict, "unknown", "?", "dim"))


def rank(verdict: str) -> int:
    """Place in the order from best to worst."""
    return list(LOOKS).index(verdict) if verdict in LOOKS else len(LOOKS)
