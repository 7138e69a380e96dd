"""Nash-MD: mirror descent against a geometric mixture with the reference."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE, Geometric
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class NashMD(Algorithm):
    """Step from, and play against, the mixture m = pi^(1-w) ref^w (normalised), w = alpha tau.

    With a constant step the fixed point is biased: it is not the regularised equilibrium. Only
    ``schedule="decaying"`` converges to it.
    """

    slug = "nash-md"
    card = Card(
        summary="mirror descent from and against a geometric mixture with the reference",
        title="Nash Learning from Human Feedback",
        arxiv="2312.00886",
        equations="Nash-MD and Theorem 1 (schedule)",
        badge=Badge.EXACT,
        notes="Constant steps leave a KL floor of 1e-4 to 3e-2 on small games at tau = 0.1.",
    )

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the mixture, against the mixture."""
        alpha = self.step(iteration)
        w = alpha * self.temperature
        mixture = Geometric(((CURRENT, 1 - w), (REFERENCE, w)))
        return (
            Update(
                anchors=((CURRENT, 1 - w), (REFERENCE, w)),
                opponents=((mixture, 1.0),),
                step_size=alpha,
            ),
        )
