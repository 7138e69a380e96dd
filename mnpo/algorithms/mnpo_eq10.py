"""MNPO with n distinct players, each stepping from the others' geometric mean."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, OTHER_PLAYERS
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class MNPOEq10(Algorithm):
    """log pi_i' = mean_{j != i} log pi_j + eta P mean_{j != i} pi_j, for every player i.

    The player's own policy is not among its anchors, and there is no temperature. With equal
    players it is multiplicative weights for every n; n = 2 unequal players are two independent
    MWU chains that swap labels every step.

    Attributes:
        num_players: n, at least 2.
        target_form: "sound" samples pairs from the opponents' arithmetic mixture with target
            eta/2, which is Eq. 10. "own-pairs" samples them from the player itself with target
            eta/2, which recovers the advantage against pi_i only (Proposition 1 fails).
            "literal" is Eq. 15 as printed: own pairs, target 1/(2 eta), step 1/eta.
    """

    num_players: int = 3
    target_form: Literal["sound", "own-pairs", "literal"] = "sound"

    slug = "mnpo-eq10"
    card = Card(
        summary="n distinct players, each stepping from the others' geometric mean",
        title="Multiplayer Nash Preference Optimization",
        arxiv="2509.23102",
        equations="Eq. 10, 14; Eq. 15 as printed by name",
        badge=Badge.EXACT,
        notes=(
            "Eq. 14's minimiser is Eq. 10. Eq. 15's is so only with target eta/2 and pairs iid "
            "from the opponents' arithmetic mixture, or with equal players."
        ),
    )
    finds = "nash"
    reads = frozenset({"step_size"})

    def __post_init__(self) -> None:
        """Check the number of players."""
        super().__post_init__()
        self._require_choice("target_form", ("sound", "own-pairs", "literal"))
        if self.num_players < 2:
            raise InvalidSetting(
                f"{self.name}: num_players must be at least 2, got {self.num_players}"
            )

    @property
    def name(self) -> str:
        """mnpo-eq15 for the literal target, which is that equation's."""
        return "mnpo-eq15" if self.target_form == "literal" else self.slug

    @property
    def players(self) -> int:
        """Number of distinct policies."""
        return self.num_players

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """Every player's update, anchored on the other players."""
        eta = self.step(iteration)
        sampler = OTHER_PLAYERS if self.target_form == "sound" else CURRENT
        return (
            Update(
                anchors=((OTHER_PLAYERS, 1.0),),
                opponents=((sampler, 1.0),),
                step_size=1 / eta if self.target_form == "literal" else eta,
            ),
        )
