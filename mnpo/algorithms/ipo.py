"""IPO: identity preference optimisation, offline and online."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class IPO(Algorithm):
    """Best response around the reference: log pi' = log ref + P mu / tau, squared target 1/(2 tau).

    Attributes:
        variant: "offline" takes its pairs from the reference, so the policy is fixed after one
            iteration; "online" takes them from the current policy, which converges to the
            regularised equilibrium when its local rotation is slower than tau and cycles
            otherwise.
    """

    variant: Literal["offline", "online"] = "offline"

    slug = "ipo"
    card = Card(
        summary="squared-loss best response to the pair sampler, around the reference",
        title="A General Theoretical Paradigm to Understand Learning from Human Preferences",
        arxiv="2310.12036",
        equations="Eq. 17 (sampled loss); online: arXiv 2403.08635",
        badge=Badge.EXACT,
    )
    reads = frozenset({"temperature"})

    def __post_init__(self) -> None:
        """Check the variant and the temperature."""
        super().__post_init__()
        self._require_choice("variant", ("offline", "online"))
        self._require_positive("temperature", allow_zero=False)

    @property
    def name(self) -> str:
        """The registry name, with the variant where it is not the default."""
        return self.slug if self.variant == "offline" else f"{self.slug}-{self.variant}"

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the reference alone."""
        sampler = REFERENCE if self.variant == "offline" else CURRENT
        return (
            Update(
                anchors=((REFERENCE, 1.0),),
                opponents=((sampler, 1.0),),
                step_size=1 / self.temperature,
            ),
        )
