"""SPPO: self-play preference optimisation."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT
from mnpo.algorithms.update import Distance, Update


@dataclass(frozen=True, kw_only=True, eq=False)
class SPPO(Algorithm):
    """Multiplicative weights learned by a squared loss.

    Attributes:
        form: "exact" keeps the log-partition term, so the step is MWU's. "practical" is the loss
            that is run in practice, with log Z replaced by eta/2; its minimiser on the simplex
            differs from MWU by 1e-7 at alpha = 0.1, 1e-4 at 1, 1e-2 at 5.
    """

    form: Literal["exact", "practical"] = "exact"

    slug = "sppo"
    card = Card(
        summary="multiplicative weights learned by a squared loss on win rates",
        title="Self-Play Preference Optimization for Language Model Alignment",
        arxiv="2405.00675",
        equations="Eq. 4.1 (exact), Eq. 4.6 (practical)",
        badge=Badge.EXACT,
        notes=(
            "MNPO's Table 1 row, put literally into Eq. 17 (a pair's log-ratio against one "
            "response's target), gives half the step; the sound form is used."
        ),
    )
    finds = "nash"
    reads = frozenset({"step_size"})

    def __post_init__(self) -> None:
        """Check the form."""
        super().__post_init__()
        self._require_choice("form", ("exact", "practical"))

    @property
    def name(self) -> str:
        """The registry name, with the form where it is not the default."""
        return self.slug if self.form == "exact" else f"{self.slug}-{self.form}"

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the current policy; the form decides the distance."""
        return (
            Update(
                anchors=((CURRENT, 1.0),),
                opponents=((CURRENT, 1.0),),
                step_size=self.step(iteration),
                distance=Distance.SQUARED if self.form == "exact" else Distance.POINTWISE,
            ),
        )
