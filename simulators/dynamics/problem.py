"""What a batch of runs shares: the games, the reference, the start. Actions on axis 0.

Every array of the dynamics has shape (K, B): K actions down, one column a run. Short reductions
over the actions then stream over contiguous columns, which is several times faster than the
batch-first layout at small K.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.dynamics.oracles import Oracle

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """A batch of B runs of one algorithm.

    Attributes:
        oracles: one preference oracle, or one for each player of a heterogeneous game.
        log_reference: (K, 1) or (K, B) log-probabilities of the reference policy.
        log_initial: (K, 1), (K, B) or, for distinct starts of several players, (players, K, B).
        columns: B.
        rewards: (K, 1) or (K, B) scalar rewards, for methods whose advantage is a reward.
        log_externals: (E, K, 1) or (E, K, B) log-probabilities of external policies.
        log_demonstrations: (K, 1) or (K, B) log-probabilities of the demonstrations (SPIN).
    """

    oracles: tuple[Oracle, ...]
    log_reference: Array
    log_initial: Array
    columns: int
    rewards: Array | None = None
    log_externals: Array | None = None
    log_demonstrations: Array | None = None

    @property
    def actions(self) -> int:
        """Number of actions K."""
        return int(self.log_reference.shape[0])

    def oracle(self, player: int) -> Oracle:
        """The oracle that answers for a player."""
        return self.oracles[player if len(self.oracles) > 1 else 0]


@dataclass
class Ledger:
    """What a run spent, per column.

    Attributes:
        oracle_rounds: win-rate vectors y -> P(y > mu) used by the updates, per player and column.
        preference_queries: single noisy comparisons asked, per column; 0 where the exact matrix
            is read.
        gradient_steps: optimiser steps taken.
    """

    oracle_rounds: int = 0
    preference_queries: int = 0
    gradient_steps: int = 0
