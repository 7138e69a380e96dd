"""Which policies an update speaks of: the vocabulary of anchors and opponents.

An update names policies by role, never by tensor, so that the same value can be resolved on a
table of probabilities (`simulators`) or on language-model checkpoints (`mnpo.training`).
"""

from dataclasses import dataclass
from typing import TypeAlias

from mnpo.algorithms.scalars import Scalar


@dataclass(frozen=True)
class History:
    """The player's own policy ``lag`` iterations ago; before the start it is the initial policy."""

    lag: int = 0


@dataclass(frozen=True)
class Reference:
    """The fixed reference policy (SFT model)."""


@dataclass(frozen=True)
class Magnet:
    """A reference that the method itself moves: the policy at the last refresh (MPO, COMAL)."""


@dataclass(frozen=True)
class OtherPlayers:
    """Every other player's current policy, sharing the weight equally.

    As an anchor that is their geometric mean (Eq. 10's base), as opponent their arithmetic mean.
    """


@dataclass(frozen=True)
class External:
    """The ``index``-th external policy (EO-MNPO), fixed from outside."""

    index: int


@dataclass(frozen=True)
class MovingAverage:
    """Exponential moving average of the player's logits with the given decay (Nash-EMA)."""

    decay: float


@dataclass(frozen=True)
class Demonstrations:
    """The data distribution that SPIN imitates."""


@dataclass(frozen=True)
class Intermediate:
    """The result of this iteration's previous update (EGPO's extrapolated policy)."""


@dataclass(frozen=True)
class PreviousIntermediate:
    """The result of the previous iteration's first update, the initial policy before the start.

    ONPO's second sequence: what a method carries along beside the policy it plays.
    """


@dataclass(frozen=True)
class Solution:
    """The policy being solved for: an implicit update (COMAL's exact proximal step)."""


@dataclass(frozen=True)
class Geometric:
    """Normalised geometric mixture of sources, ``prod_k source_k ** weight_k`` (Nash-MD)."""

    parts: "tuple[tuple[Source, Scalar], ...]"


Source: TypeAlias = (
    History
    | Reference
    | Magnet
    | OtherPlayers
    | External
    | MovingAverage
    | Demonstrations
    | Intermediate
    | PreviousIntermediate
    | Solution
    | Geometric
)

CURRENT = History(0)
REFERENCE = Reference()
MAGNET = Magnet()
OTHER_PLAYERS = OtherPlayers()
DEMONSTRATIONS = Demonstrations()
INTERMEDIATE = Intermediate()
PREVIOUS_INTERMEDIATE = PreviousIntermediate()
SOLUTION = Solution()
