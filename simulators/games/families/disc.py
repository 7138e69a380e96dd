"""The disc game: points in the plane, the one further round beats the one behind it."""

import numpy as np

from simulators.games.game import Game
from simulators.games.matrices import from_advantage, from_log_odds, labels
from simulators.games.spec import GameSpec, Parameter, actions_parameter


def build(actions: int, circles: int, radius: float, kind: str, sharpness: float) -> Game:
    """Action i sits at angle ``2 pi i / K`` on circle ``i mod circles``.

    Circle c has radius ``radius (c + 1) / circles``. With ``x_ij = r_i r_j sin(t_i - t_j)``
    (the cross product; who is ahead, up to half a turn, wins):

    * ``kind="sigmoid"``: ``P = sigmoid(sharpness x)``;
    * ``kind="bilinear"``: ``P = 1/2 + x / (2 radius^2)``, the disc game proper, a skew form of
      rank two: any policy whose mean point is the origin is an equilibrium, so there are many.
    """
    place = np.arange(actions)
    angle = 2 * np.pi * place / actions
    distance = radius * (1 + place % circles) / circles
    cross = distance[:, None] * distance[None, :] * np.sin(angle[:, None] - angle[None, :])
    cross = (cross - cross.T) / 2
    # The sine of half a turn is 1e-16 in floating point; it is a tie.
    cross[np.abs(cross) < 1e-14 * radius**2] = 0.0
    if kind == "sigmoid":
        P = from_log_odds(sharpness * cross)
    else:
        P = from_advantage(np.clip(cross / (2 * radius**2), -0.5, 0.5))
    return Game("disc", P, labels(actions))


SPEC = GameSpec(
    name="disc",
    summary="points on circles; the one ahead wins, smoothly (sigmoid) or bilinearly",
    source="Balduzzi et al., Open-ended learning in symmetric zero-sum games, arXiv 1901.08106",
    parameters=(
        actions_parameter(8, low=3),
        Parameter("circles", "int", 1, "circles the points take turns on", 1, 1000),
        Parameter("radius", "float", 1.0, "radius of the outermost circle", 1e-6, 1e6),
        Parameter(
            "kind",
            "choice",
            "sigmoid",
            "how a lead becomes a win probability",
            choices=("sigmoid", "bilinear"),
        ),
        Parameter(
            "sharpness", "float", 1.0, "log-odds per unit of cross product, sigmoid", 0.0, 1e6
        ),
    ),
    build=build,
)
