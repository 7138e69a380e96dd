"""Many prompts, one preference matrix each, changing smoothly with the prompt's features."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Array, Game
from simulators.games.matrices import bradley_terry, circulant, from_advantage, labels, uniform
from simulators.games.spec import MAX_ACTIONS, GameSpec, Parameter

_EDGE = 0.2
"""Half the width of the band of the first feature in which a context is partly cyclic."""


def build(
    contexts: int,
    actions: int,
    features: int,
    seed: int,
    cyclicity: float,
    spread: float,
    strength: float,
) -> Game:
    """Contexts with features x uniform on [-1, 1]^d and advantages that are smooth in x.

    ``A(x) = (1 - g) (BT(u(x)) - 1/2) + g strength/2 D(x) C D(x)``

    with utilities ``u = spread V x / sqrt(d)``, the cycle C of game ``cyclic``, and
    ``D = diag(s)``, ``s = 1/2 + sigmoid(2 W x)/2`` in (1/2, 1); V and W are (K, d), uniform on
    [-1, 1]. The share g of the cycle rises from 0 to 1 (smoothstep) as the first feature crosses
    ``(1 - 2 cyclicity) (1 + h)`` within h = 0.2, so that about a share ``cyclicity`` of the
    contexts is cyclic: none at 0, all at 1. A purely transitive context has a best action that
    depends on x; a purely cyclic one has the equilibrium ``p ~ 1/s(x)``.

    All numbers come from ``matrices.uniform(seed, ...)``: V, then W, then the features row by row,
    so that a longer list of contexts of the same seed begins with the shorter one.
    """
    if contexts * actions * actions > MAX_ACTIONS**2:
        raise InvalidSetting(
            f"game 'contextual': {contexts} contexts of {actions} actions make "
            f"{contexts * actions**2} cells; at most {MAX_ACTIONS**2} are allowed"
        )
    drawn = 2.0 * uniform(seed, ((2 * actions + contexts) * features,)) - 1.0
    V, W = drawn[: 2 * actions * features].reshape(2, actions, features)
    x = drawn[2 * actions * features :].reshape(contexts, features)
    transitive = bradley_terry(spread * (x @ V.T) / np.sqrt(features)) - 0.5
    s = 0.5 + 0.25 * (1.0 + np.tanh(x @ W.T))
    cyclic = 0.5 * strength * s[:, :, None] * circulant(actions) * s[:, None, :]
    g = cyclic_share(x, cyclicity)[:, None, None]
    return Game(
        "contextual",
        from_advantage((1 - g) * transitive + g * cyclic),
        labels(actions),
        features=x,
    )


def cyclic_share(x: Array, cyclicity: float) -> Array:
    """Share g of the cycle in each context: features (C, d) -> (C,) in [0, 1]."""
    threshold = (1 - 2 * cyclicity) * (1 + _EDGE)
    ramp = np.clip((x[:, 0] - threshold) / (2 * _EDGE) + 0.5, 0.0, 1.0)
    share: Array = ramp**2 * (3 - 2 * ramp)
    return share


SPEC = GameSpec(
    name="contextual",
    summary="many prompts with features; some are transitive, some cyclic",
    source="this project; a tabular stand-in for prompts",
    parameters=(
        Parameter("contexts", "int", 32, "number of contexts C", 1, 1_000_000),
        Parameter("actions", "int", 5, "number of actions K", 3, MAX_ACTIONS),
        Parameter("features", "int", 4, "dimension d of a context's features", 1, 10_000),
        Parameter("seed", "int", 0, "seed of the features and of the game", 0, 2**63 - 1),
        Parameter("cyclicity", "float", 0.5, "share of cyclic contexts", 0.0, 1.0),
        Parameter("spread", "float", 4.0, "size of the utilities of transitive contexts", 0.0, 1e6),
        Parameter("strength", "float", 1.0, "strength of the cycles", 0.0, 1.0),
    ),
    build=build,
)
