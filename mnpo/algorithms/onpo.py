"""ONPO: optimistic Nash policy optimisation."""

from dataclasses import dataclass
from typing import Literal

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, INTERMEDIATE, PREVIOUS_INTERMEDIATE, History
from mnpo.algorithms.update import Update, Weighted


@dataclass(frozen=True, kw_only=True, eq=False)
class ONPO(Algorithm):
    """Optimistic multiplicative weights: log pi' = log pi + 2 alpha P pi - alpha P pi_previous.

    Attributes:
        form: "extrapolated" is that one line, with no gradient before the first step; it asks one
            oracle round an iteration, as the previous round's advantage is reused.
            "two-sequence" is the paper's own: pi'_{t+1} from pi'_t and pi_{t+1} from pi'_{t+1},
            both against pi_t. The policies are the same, and each update is a regression on
            pairs that can be sampled, which labels and language models need.
    """

    form: Literal["extrapolated", "two-sequence"] = "extrapolated"

    slug = "onpo"
    card = Card(
        summary="optimistic multiplicative weights (last-iterate convergence)",
        title="Improving LLM General Preference Alignment via Optimistic Online Mirror Descent",
        arxiv="2502.16852",
        equations="Alg. 1 (two-sequence form)",
        badge=Badge.EXACT,
        notes="The linear last-iterate rate is real but can be 1e-6 per step.",
    )
    finds = "nash"
    reads = frozenset({"step_size"})

    def __post_init__(self) -> None:
        """Check the form."""
        super().__post_init__()
        self._require_choice("form", ("extrapolated", "two-sequence"))

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update whose advantage extrapolates from the previous policy's, or the two."""
        if self.form == "two-sequence":
            return tuple(
                Update(
                    anchors=((anchor, 1.0),),
                    opponents=((CURRENT, 1.0),),
                    step_size=self.step(iteration),
                )
                for anchor in (PREVIOUS_INTERMEDIATE, INTERMEDIATE)
            )
        opponents: tuple[Weighted, ...] = ((CURRENT, 2.0),)
        if iteration > 0:
            opponents += ((History(1), -1.0),)
        return (
            Update(anchors=((CURRENT, 1.0),), opponents=opponents, step_size=self.step(iteration)),
        )
