"""Who beats a mixed opponent how often: y -> P(y > mu), for a batch of opponents at once."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.equilibria import PlackettLuceOracle

Array = NDArray[np.float64]

#: Up to this many actions a sum over K x K x B slices beats a batched matrix product.
_SLICED_ACTIONS = 16


class Oracle(Protocol):
    """A preference oracle over K actions."""

    #: Whether the win rate is linear in the opponent, so that a game matrix says everything.
    linear: bool
    #: Players of the one-vs-many game; 2 for a pairwise one. Win rates then average 1/players.
    players: int

    def win_rates(self, opponents: Array) -> Array:
        """P(y > mu) for every action y; opponents (K, B) -> (K, B)."""
        ...

    def matrices(self) -> Array:
        """The pairwise preferences, (K, K) when shared by all columns, else (B, K, K)."""
        ...


class SharedMatrix:
    """One matrix for every column: a single matrix product answers the whole batch."""

    linear = True
    players = 2

    def __init__(self, preferences: Array) -> None:
        """Keep a C-contiguous copy of ``preferences``, (K, K)."""
        self._preferences = np.ascontiguousarray(preferences, dtype=np.float64)

    def win_rates(self, opponents: Array) -> Array:
        """P @ mu."""
        return np.asarray(self._preferences @ opponents)

    def matrices(self) -> Array:
        """(K, K)."""
        return self._preferences


class ColumnMatrices:
    """A matrix of its own for each column (many games, contexts or annotators at once)."""

    linear = True
    players = 2

    def __init__(self, preferences: Array) -> None:
        """Keep ``preferences``, (B, K, K), in the layout that is fast for its K."""
        self._preferences = np.ascontiguousarray(preferences, dtype=np.float64)
        small = preferences.shape[-1] <= _SLICED_ACTIONS
        # (K opponents, K actions, B): each opponent's slice is added with contiguous columns.
        self._slices = (
            np.ascontiguousarray(np.transpose(self._preferences, (2, 1, 0))) if small else None
        )

    def win_rates(self, opponents: Array) -> Array:
        """P_b @ mu_b for every column b."""
        if self._slices is None:
            product = np.matmul(self._preferences, opponents.T[..., None])
            return np.ascontiguousarray(product[..., 0].T)
        result = self._slices[0] * opponents[0]
        buffer = np.empty_like(result)
        for j in range(1, len(self._slices)):
            np.multiply(self._slices[j], opponents[j], out=buffer)
            result += buffer
        return np.asarray(result)

    def matrices(self) -> Array:
        """(B, K, K)."""
        return self._preferences


class Remembering:
    """An oracle that answers once when it is asked about the same array again.

    The metrics of an iteration and the update that follows it ask about the same policies, and on
    large games the answer is the whole cost. Policies are never changed in place; the answer is
    made read-only, as it has several readers.
    """

    def __init__(self, oracle: Oracle) -> None:
        """Remember the last answer of ``oracle``."""
        self._oracle = oracle
        self._asked: Array | None = None
        self._answer: Array | None = None
        self.linear = oracle.linear
        self.players = oracle.players

    def win_rates(self, opponents: Array) -> Array:
        """What the oracle answers; read-only."""
        if self._answer is None or self._asked is not opponents:
            self._asked, self._answer = opponents, self._oracle.win_rates(opponents)
            self._answer.flags.writeable = False
        return self._answer

    def matrices(self) -> Array:
        """The oracle's."""
        return self._oracle.matrices()


class PlackettLuce:
    """One-vs-many: the probability that y is ranked first among itself and n - 1 opponents.

    MNPO Eq. 5 and 7, evaluated by a one-dimensional integral.
    """

    linear = False

    def __init__(self, utilities: Array, annotator_weights: Array | None, players: int) -> None:
        """Keep utilities (A, K) in nats and the annotators' shares (A,)."""
        self.players = players
        self._ranking = PlackettLuceOracle.create(utilities, players, annotator_weights)
        self._pairs = PlackettLuceOracle.create(utilities, 2, annotator_weights)

    def win_rates(self, opponents: Array) -> Array:
        """F_n(y; mu, ..., mu): every opponent plays the column's mu."""
        return np.ascontiguousarray(self._ranking.win_rates(opponents.T).T)

    def win_rates_against(self, opponents: Sequence[Array]) -> Array:
        """F_n(y; mu_1, ..., mu_(n-1)) for n - 1 distinct opponents, each (K, B)."""
        stacked = np.stack([policy.T for policy in opponents], axis=1)
        return np.ascontiguousarray(self._ranking.win_rates_against(stacked).T)

    def matrices(self) -> Array:
        """The pairwise (n = 2) preferences, (K, K)."""
        against_each = self._pairs.win_rates(np.eye(self._pairs.actions))
        return np.ascontiguousarray(against_each.T)
