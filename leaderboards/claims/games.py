"""The games that claims are tested on: a few well-known ones, and families to draw from."""

import numpy as np
from numpy.typing import NDArray

from simulators.games import Game, make_game
from simulators.games.annotators import mixture
from simulators.games.matrices import bradley_terry, from_advantage, labels, uniform

Array = NDArray[np.float64]

#: A reference that is far from the equilibrium of rock, paper, scissors.
SKEWED = (0.6, 0.3, 0.1)


def known_games() -> dict[str, Game]:
    """Games without chance, by what they are: cyclic, transitive and in between."""
    return {
        "rock-paper-scissors": make_game("cyclic"),
        "biased cycle": make_game("biased-rps"),
        "Condorcet cycle": make_game("condorcet"),
        "random, 10 actions": make_game("random-skew", recipe="sin"),
        "knob, half cyclic": make_game("knob", k=0.5),
        "Bradley-Terry, 10 actions": make_game("bradley-terry"),
    }


def random_games(count: int, first: int = 0, actions: int = 5) -> list[Game]:
    """Games with random advantages; the seed of game i is first + i."""
    return [make_game("random-skew", actions=actions, seed=first + i) for i in range(count)]


def random_policies(seed: int, count: int, actions: int) -> Array:
    """(count, K) uniform draws from the simplex."""
    return np.random.default_rng([seed, 7]).dirichlet(np.ones(actions), size=count)


def skewed(actions: int, steepness: float = 3.0) -> Array:
    """(K,) a policy that falls geometrically, the first action ``steepness`` times the last."""
    weights = steepness ** -np.linspace(0, 1, actions)
    return np.asarray(weights / weights.sum())


def blend(cyclic: float, seed: int, actions: int = 10) -> Game:
    """``A = (1 - k) (BT - 1/2) + k S``: transitive at k = 0, independent advantages at k = 1.

    BT has utilities uniform on [0, 2], S is uniform on [-0.45, 0.45) above the diagonal.
    """
    utilities = 2 * uniform(seed, (actions,))
    chance = make_game("random-skew", actions=actions, seed=seed).preferences - 0.5
    transitive = bradley_terry(utilities) - 0.5
    P = from_advantage((1 - cyclic) * transitive + cyclic * chance)
    return Game("blend", P, labels(actions), parameters={"k": cyclic, "seed": seed})


def population(diversity: float, seed: int, actions: int = 6, annotators: int = 3) -> Game:
    """Annotators who share one taste at diversity 0 and form a Condorcet cycle at 1.

    Annotator a has Plackett-Luce utilities 4 ((1 - d) c + d o_a). The common part c is uniform on
    [0, 1]. The own part o_a falls from about 1 to 0, unevenly, down a ranking, the same random one
    for all, that starts a/A of the way down and goes on from its top: the rankings of Condorcet's
    paradox. Shares are a quarter random (uniform on the simplex) and three quarters equal, so that
    with three annotators none is the majority alone. The own parts and shares are drawn until at
    d = 1 no action beats every other.
    """
    rng = np.random.default_rng([seed, 11])
    common = rng.random(actions)
    for _ in range(10_000):
        own = _paradox(rng, annotators, actions)
        share = 0.75 / annotators + 0.25 * rng.dirichlet(np.ones(annotators))
        if not _wins_all(mixture(bradley_terry(4 * own), share)):
            break
    utilities = 4 * ((1 - diversity) * common + diversity * own)
    matrices = bradley_terry(utilities)
    return Game(
        "population",
        mixture(matrices, share),
        labels(actions),
        parameters={"diversity": diversity, "seed": seed},
        annotators=matrices,
        annotator_weights=share,
        utilities=utilities,
    )


def has_winner(game: Game) -> bool:
    """Whether one action beats every other."""
    return _wins_all(game.preferences)


def _paradox(rng: np.random.Generator, annotators: int, actions: int) -> Array:
    """(A, K) uneven heights down rotations of one ranking."""
    order = rng.permutation(actions)
    own = np.empty((annotators, actions))
    for a in range(annotators):
        uneven = np.linspace(1, 0, actions) + (2 * rng.random(actions) - 1) / (actions - 1)
        own[a, np.roll(order, -(a * actions) // annotators)] = np.sort(uneven)[::-1]
    return own


def _wins_all(P: Array) -> bool:
    return bool(((P > 0.5).sum(axis=1) == len(P) - 1).any())
