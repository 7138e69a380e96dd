"""ONPO: optimistic Nash policy optimisation."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, History
from mnpo.algorithms.update import Update, Weighted


@dataclass(frozen=True, kw_only=True, eq=False)
class ONPO(Algorithm):
    """Optimistic multiplicative weights: log pi' = log pi + 2 alpha P pi - alpha P pi_previous.

    The one-line form of the paper's two sequences, with no gradient before the first step. It
    needs one oracle round an iteration, as the previous round's advantage is reused.
    """

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

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update whose advantage extrapolates from the previous policy's."""
        opponents: tuple[Weighted, ...] = ((CURRENT, 2.0),)
        if iteration > 0:
            opponents += ((History(1), -1.0),)
        return (
            Update(anchors=((CURRENT, 1.0),), opponents=opponents, step_size=self.step(iteration)),
        )
