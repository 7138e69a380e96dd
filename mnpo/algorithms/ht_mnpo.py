"""HT-MNPO: n players, each with a preference oracle of its own."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, OTHER_PLAYERS, REFERENCE
from mnpo.algorithms.update import Update, Weighted
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class HTMNPO(Algorithm):
    """log pi_i' = (1 - w) mean_{j != i} log pi_j + w log ref + alpha P_i mu, w = alpha tau.

    A consensus algorithm: its limit is near the regularised equilibrium of the *average* oracle,
    not the general-sum equilibrium of the heterogeneous game.

    Attributes:
        num_players: number of players; None takes one for each annotator of the game.
        reading: "alg2" measures the advantage against the player itself, which is what Alg. 2's
            sampling gives; "intended" against the other players' mixture.
        self_weight: share of the history weight 1 - w that the player's own policy gets, in
            [0, 1]. The paper's methods have 0; at 1 the general-sum equilibrium is found.
    """

    num_players: int | None = None
    reading: Literal["alg2", "intended"] = "alg2"
    self_weight: float = 0.0

    slug = "ht-mnpo"
    card = Card(
        summary="one preference oracle per player, anchored on the other players",
        title="Multiplayer Nash Preference Optimization",
        arxiv="2509.23102",
        equations="Alg. 2 (both readings)",
        badge=Badge.EXACT,
        notes="No heterogeneous loss exists in the released code; this follows the paper's text.",
    )
    heterogeneous = True

    def __post_init__(self) -> None:
        """Check the players and the reading."""
        super().__post_init__()
        self._require_choice("reading", ("alg2", "intended"))
        if self.num_players is not None and self.num_players < 2:
            raise InvalidSetting(
                f"{self.name}: num_players must be at least 2, got {self.num_players}"
            )
        if not 0 <= self.self_weight <= 1:
            raise InvalidSetting(
                f"{self.name}: self_weight must be in [0, 1], got {self.self_weight:g}"
            )

    @property
    def players(self) -> int | None:
        """Number of players; None while it is left to the game."""
        return self.num_players

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """Every player's update under its own oracle."""
        alpha = self.step(iteration)
        w = alpha * self.temperature
        anchors: tuple[Weighted, ...] = (
            (OTHER_PLAYERS, (1 - w) * (1 - self.self_weight)),
            (REFERENCE, w),
        )
        if self.self_weight > 0:
            anchors += ((CURRENT, (1 - w) * self.self_weight),)
        opponent = CURRENT if self.reading == "alg2" else OTHER_PLAYERS
        return (Update(anchors=anchors, opponents=((opponent, 1.0),), step_size=alpha),)
