"""MWU: multiplicative weights (Hedge, SPO), the unregularised baseline."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class MWU(Algorithm):
    """Multiplicative weights in self-play: log pi' = log pi + alpha P pi.

    The average iterate converges to a Nash equilibrium at O(1/sqrt(T)) with a tuned step; the
    last iterate of a cyclic game spirals outwards.
    """

    slug = "mwu"
    card = Card(
        summary="multiplicative weights in self-play, no reference",
        title="A Minimaximalist Approach to Reinforcement Learning from Human Feedback (SPO)",
        arxiv="2401.04056",
        equations="the Hedge form of self-play preference optimisation",
        badge=Badge.EXACT,
    )
    finds = "nash"
    reads = frozenset({"step_size"})

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the current policy alone."""
        return (
            Update(
                anchors=((CURRENT, 1.0),),
                opponents=((CURRENT, 1.0),),
                step_size=self.step(iteration),
            ),
        )
