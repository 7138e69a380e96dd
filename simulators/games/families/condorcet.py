"""Heterogeneous annotators, each transitive, whose majority can be cyclic."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.annotators import mixture, shares
from simulators.games.game import Game
from simulators.games.matrices import bradley_terry, duplicates, from_advantage
from simulators.games.spec import GameSpec, Parameter

_NAME = "condorcet"


def build(rankings: str, weights: tuple[float, ...], kind: str, sharpness: float) -> Game:
    """A share ``weights[a]`` of the annotators ranks the actions as ``rankings[a]``.

    ``kind="rankings"``: an annotator always prefers what it ranks higher. ``kind="utilities"``:
    annotator a has utilities ``sharpness * (K-1, ..., 1, 0)`` down its ranking and prefers by
    Bradley-Terry. ``preferences`` is the weighted mean. The default is the Condorcet cycle
    a > b > c > a with equilibrium (.5, .2, .3).
    """
    orders = _read(rankings)
    share = shares(weights, len(orders), _NAME)
    names = tuple(sorted(orders[0]))
    size = len(names)
    utilities = np.zeros((len(orders), size))
    for row, order in zip(utilities, orders, strict=True):
        for place, action in enumerate(order):
            row[names.index(action)] = size - 1 - place
    if kind == "rankings":
        signs = np.sign(utilities[:, :, None] - utilities[:, None, :])
        annotators = from_advantage(0.5 * signs)
        known = None
    else:
        known = sharpness * utilities
        annotators = bradley_terry(known)
    return Game(
        _NAME,
        mixture(annotators, share),
        names,
        annotators=annotators,
        annotator_weights=share,
        utilities=known,
    )


def _read(rankings: str) -> list[list[str]]:
    orders = []
    for text in rankings.split(","):
        pieces = text.split(">") if ">" in text else list(text.strip())
        orders.append([piece.strip() for piece in pieces])
    for order in orders:
        if "" in order or len(order) < 2:
            raise InvalidSetting(
                f"game '{_NAME}': rankings is {rankings!r}; give one per annotator, best first, "
                "like abc,bca,cab or good>fair>bad,fair>bad>good"
            )
        if duplicates(order):
            raise InvalidSetting(
                f"game '{_NAME}': the ranking {'>'.join(order)} names '{duplicates(order)[0]}' "
                "twice"
            )
        if set(order) != set(orders[0]):
            odd = sorted(set(order) ^ set(orders[0]))
            raise InvalidSetting(
                f"game '{_NAME}': the rankings {'>'.join(orders[0])} and {'>'.join(order)} do not "
                f"rank the same actions; only one of them has '{odd[0]}'"
            )
    return orders


SPEC = GameSpec(
    name=_NAME,
    summary="heterogeneous annotators, each a ranking; the majority is a Condorcet cycle",
    source="Condorcet (1785)",
    parameters=(
        Parameter("rankings", "text", "abc,bca,cab", "one ranking per annotator, best first"),
        Parameter("weights", "floats", (0.4, 0.35, 0.25), "share of each annotator", 0.0, 1.0),
        Parameter(
            "kind",
            "choice",
            "rankings",
            "deterministic rankings, or utilities with Bradley-Terry noise",
            choices=("rankings", "utilities"),
        ),
        Parameter(
            "sharpness", "float", 2.0, "utility between neighbours, kind=utilities", 0.0, 1e6
        ),
    ),
    build=build,
)
