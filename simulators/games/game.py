"""The one type every game is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Game:
    """A preference game: a finite set of actions (responses) and who beats whom how often.

    Attributes:
        name: registry name, or ``file:STEM`` for a user's own matrix.
        preferences: ``P[i, j]`` = probability that action i beats action j, float64, with
            ``P + P.T == 1``. Shape (K, K); (C, K, K) for a contextual game, one matrix a context.
        actions: one label an action, length K.
        parameters: the resolved parameters the game was built with.
        annotators: (A, K, K) one matrix per annotator when the population is heterogeneous;
            ``preferences`` then is their weighted mean. None otherwise.
        annotator_weights: (A,) shares of the annotators, summing to one. None without annotators.
        utilities: (A, K) Plackett-Luce utilities behind the annotators, when there are any.
        players: players of the one-vs-many game; 2 means the pairwise game.
        counts: (K, K) comparisons behind each cell, when known.
        features: (C, d) features of the contexts, for contextual games.
    """

    name: str
    preferences: Array
    actions: tuple[str, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    annotators: Array | None = None
    annotator_weights: Array | None = None
    utilities: Array | None = None
    players: int = 2
    counts: Array | None = None
    features: Array | None = None

    @property
    def size(self) -> int:
        """Number of actions K."""
        return int(self.preferences.shape[-1])

    @property
    def contexts(self) -> int:
        """Number of contexts C; 1 for a plain matrix game."""
        return 1 if self.preferences.ndim == 2 else int(self.preferences.shape[0])
