"""One-vs-many: an annotator picks the best of n responses by the Plackett-Luce model."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.annotators import mixture, shares
from simulators.games.game import Game
from simulators.games.matrices import bradley_terry, labels
from simulators.games.spec import MAX_ACTIONS, GameSpec, Parameter


def build(
    utilities: tuple[tuple[float, ...], ...], weights: tuple[float, ...] | None, players: int
) -> Game:
    """Annotator a, a share ``weights[a]``, picks y from a slate with odds ``exp(u_a(y))``.

    ``preferences`` is the pairwise matrix ``sum_a w_a sigmoid(u_a(i) - u_a(j))``, the game's
    two-player case; ``utilities``, ``annotator_weights`` and ``players`` carry the one-vs-many
    game (Eqs. 5 and 7 of arXiv 2509.23102). The default, three annotators that each prefer another
    action, has an equilibrium that moves from (1, 0, 0) at n = 2 to the policy of maximal Nash
    welfare as n grows.
    """
    u = np.array(utilities)
    if not 2 <= u.shape[1] <= MAX_ACTIONS:
        raise InvalidSetting(
            f"game 'plackett-luce': utilities has {u.shape[1]} actions; give rows (annotators) "
            f"separated by ';' of 2 to {MAX_ACTIONS} numbers separated by ','"
        )
    share = shares(weights or (1 / len(u),) * len(u), len(u), "plackett-luce")
    annotators = bradley_terry(u)
    return Game(
        "plackett-luce",
        mixture(annotators, share),
        labels(u.shape[1]),
        annotators=annotators,
        annotator_weights=share,
        utilities=u,
        players=players,
    )


SPEC = GameSpec(
    name="plackett-luce",
    summary="n players, one-vs-many: annotators pick the best of n responses",
    source="Luce (1959), Plackett (1975); MNPO Eqs. 5 and 7, arXiv 2509.23102",
    parameters=(
        Parameter(
            "utilities",
            "matrix",
            ((4.0, 2.0, 0.0), (0.0, 4.0, 2.0), (2.0, 0.0, 4.0)),
            "one row per annotator, one utility per action: '4,2,0;0,4,2'",
        ),
        Parameter(
            "weights", "floats", None, "share of each annotator; equal if left out", 0.0, 1.0
        ),
        Parameter("players", "int", 3, "responses an annotator picks from", 2, 100_000),
    ),
    build=build,
)
