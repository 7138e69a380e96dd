"""EO-MNPO: external models as the opponents."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE, External
from mnpo.algorithms.update import Update, Weighted
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class EOMNPO(Algorithm):
    """log pi' = sum_k lambda_k log external_k + w log ref + eta advantage, sum lambda + w = 1.

    Attributes:
        external_weights: relative weights of the external policies, in their order; scaled to
            sum to 1 - reference_weight.
        reference_weight: w, weight of the reference; 0 in Eq. 20.
        advantage: "reward": a scalar reward r(y) (Eq. 20-21). "externals": win rate against the
            externals' mixture. "current": win rate against the current policy.
    """

    external_weights: tuple[float, ...] = (1.0,)
    reference_weight: float = 0.0
    advantage: Literal["reward", "externals", "current"] = "reward"

    slug = "eo-mnpo"
    card = Card(
        summary="external policies as anchors, a reward or win rates as the advantage",
        title="Multiplayer Nash Preference Optimization",
        arxiv="2509.23102",
        equations="Eq. 20 (Eq. 21 gives the same with tempered weights)",
        badge=Badge.EXACT,
        notes="With fixed externals and a reward the policy is fixed after one iteration.",
    )
    finds = "other"
    reads = frozenset({"step_size"})

    def __post_init__(self) -> None:
        """Check the weights."""
        super().__post_init__()
        self._require_choice("advantage", ("reward", "externals", "current"))
        if not self.external_weights or any(x < 0 for x in self.external_weights):
            raise InvalidSetting(
                f"{self.name}: external_weights must be numbers of at least 0, one for each "
                f"external policy; got {list(self.external_weights)}"
            )
        if sum(self.external_weights) <= 0:
            raise InvalidSetting(f"{self.name}: external_weights must not all be 0")
        if not 0 <= self.reference_weight < 1:
            raise InvalidSetting(
                f"{self.name}: reference_weight must be in [0, 1), got {self.reference_weight:g}"
            )

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the externals."""
        total = sum(self.external_weights)
        shares = [weight / total for weight in self.external_weights]
        anchors: tuple[Weighted, ...] = tuple(
            (External(k), (1 - self.reference_weight) * share) for k, share in enumerate(shares)
        )
        if self.reference_weight > 0:
            anchors += ((REFERENCE, self.reference_weight),)
        opponents: tuple[Weighted, ...] = ()
        if self.advantage == "externals":
            opponents = tuple((External(k), share) for k, share in enumerate(shares))
        elif self.advantage == "current":
            opponents = ((CURRENT, 1.0),)
        return (
            Update(
                anchors=anchors,
                opponents=opponents,
                step_size=self.step(iteration),
                advantage="reward" if self.advantage == "reward" else "preference",
            ),
        )
