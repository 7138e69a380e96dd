"""MMD: magnetic mirror descent with the reference as a fixed magnet."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class MMD(Algorithm):
    """Magnetic mirror descent: log pi' = (log pi + w log ref + eta P pi) / (1 + w), w = eta tau.

    ``step_size`` is the method's own eta. The step on the log-odds is eta / (1 + eta tau), so
    the trajectory is INPO's at that smaller step.
    """

    slug = "mmd"
    card = Card(
        summary="magnetic mirror descent, INPO with an implicit pull to the reference",
        title="A Unified Approach to Reinforcement Learning, Quantal Response Equilibria, and "
        "Two-Player Zero-Sum Games",
        arxiv="2206.05825",
        equations="closed form of the magnetic step with negative entropy",
        badge=Badge.PEER,
    )

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update, every weight divided by 1 + w."""
        eta = self.step(iteration)
        w = eta * self.temperature
        return (
            Update(
                anchors=((CURRENT, 1 / (1 + w)), (REFERENCE, w / (1 + w))),
                opponents=((CURRENT, 1.0),),
                step_size=eta / (1 + w),
            ),
        )
