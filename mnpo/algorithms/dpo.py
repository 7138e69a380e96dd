"""DPO: direct preference optimisation, offline, online and iterative."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card, Target
from mnpo.algorithms.sources import CURRENT, REFERENCE
from mnpo.algorithms.update import Distance, Update


@dataclass(frozen=True, kw_only=True, eq=False)
class DPO(Algorithm):
    """Logistic regression of the preferences on beta times the log-ratio margin.

    The population minimiser is log pi' = log anchor + f/beta, f the Bradley-Terry projection of P
    under the pair weights. On a cyclic game f depends on where the pairs come from.

    Attributes:
        variant: "offline": pairs from the reference, anchored on it. "online": pairs from the
            current policy, anchored on the reference. "iterative": pairs from and anchored on
            the current policy.

    ``temperature`` is the paper's beta.
    """

    variant: Literal["offline", "online", "iterative"] = "offline"

    slug = "dpo"
    card = Card(
        summary="Bradley-Terry projection of the preferences around the reference",
        title="Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        arxiv="2305.18290",
        equations="Eq. 7",
        badge=Badge.EXACT,
        notes=(
            "Deterministic transitive preferences have no finite minimiser and are refused; "
            "label smoothing (label_noise) makes it finite."
        ),
    )
    reads = frozenset({"temperature"})

    def __post_init__(self) -> None:
        """Check the variant and beta."""
        super().__post_init__()
        self._require_choice("variant", ("offline", "online", "iterative"))
        self._require_positive("temperature", allow_zero=False)

    @property
    def name(self) -> str:
        """The registry name, with the variant where it is not the default."""
        return self.slug if self.variant == "offline" else f"{self.slug}-{self.variant}"

    @property
    def target(self) -> Target:
        """The iterative variant forgets the reference; it plays the unregularised game."""
        return "nash" if self.variant == "iterative" else self.finds

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update, logistic distance on the labels themselves."""
        anchor = CURRENT if self.variant == "iterative" else REFERENCE
        sampler = REFERENCE if self.variant == "offline" else CURRENT
        return (
            Update(
                anchors=((anchor, 1.0),),
                opponents=((sampler, 1.0),),
                step_size=1 / self.temperature,
                distance=Distance.LOGISTIC,
            ),
        )
