"""A random game: independent advantages above the diagonal."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Game
from simulators.games.matrices import from_advantage, labels, uniform
from simulators.games.spec import GameSpec, Parameter, actions_parameter


def build(actions: int, seed: int, scale: float, recipe: str) -> Game:
    """``A[i, j]`` for i < j, skew below.

    * ``recipe="pcg64"``: uniform on [-scale, scale): ``A = scale (2 u - 1)`` with the u of
      ``matrices.uniform(seed, K (K - 1) / 2)`` taken row by row;
    * ``recipe="sin"``: no generator, ``A = scale sin(12.9898 (i + 1) + 78.233 (j + 1))`` from
      zero, the same in every language.
    """
    advantage = np.zeros((actions, actions))
    rows, columns = np.triu_indices(actions, k=1)
    if recipe == "sin":
        if seed:
            raise InvalidSetting(
                f"game 'random-skew': recipe=sin draws nothing, so seed={seed} has no effect; "
                "leave seed out, or use recipe=pcg64"
            )
        values = np.sin(12.9898 * (rows + 1) + 78.233 * (columns + 1))
    else:
        values = 2.0 * uniform(seed, (len(rows),)) - 1.0
    advantage[rows, columns] = scale * values
    return Game("random-skew", from_advantage(advantage), labels(actions))


SPEC = GameSpec(
    name="random-skew",
    summary="random advantages, from a seed or from an explicit formula",
    source="this project; PCG64: O'Neill (2014)",
    parameters=(
        actions_parameter(10),
        Parameter("seed", "int", 0, "seed of recipe pcg64", 0, 2**63 - 1),
        Parameter("scale", "float", 0.45, "largest advantage over 1/2", 0.0, 0.5),
        Parameter(
            "recipe",
            "choice",
            "pcg64",
            "seeded generator, or the formula without one",
            choices=("pcg64", "sin"),
        ),
    ),
    build=build,
)
