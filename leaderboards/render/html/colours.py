"""Which curve has which colour: the same algorithm has the same one in all plots of a page."""

from leaderboards.board import Board
from mnpo.algorithms import list_algorithms
from simulators.report.figures.palette import Style, style


def styles(board: Board) -> dict[str, Style]:
    """A style for the label of every curve.

    Algorithms come in the order of the documentation, as in a simulation of all of them, so that
    pages with the same algorithms agree; whatever else is drawn follows as it comes.
    """
    called: dict[str, str] = {}
    for section in board.sections:
        for entry in section.entries:
            for name in (entry.name, entry.label, entry.algorithm):
                called.setdefault(name, entry.algorithm)
    labels = dict.fromkeys(curve.label for plot in board.plots for curve in plot.curves)
    algorithms = {label: called.get(label, label) for label in labels}
    known = [entry.name for entry in list_algorithms()]
    used = dict.fromkeys(algorithms.values())
    order = [name for name in known if name in used]
    order += [name for name in used if name not in known]
    return {label: style(order.index(algorithm)) for label, algorithm in algorithms.items()}
