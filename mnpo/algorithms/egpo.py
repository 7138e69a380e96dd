"""EGPO: extragradient preference optimisation."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, INTERMEDIATE, REFERENCE
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class EGPO(Algorithm):
    """Extragradient on the regularised game: look ahead with INPO's step, then step against that.

    Two oracle rounds an iteration; the ledger counts both.
    """

    slug = "egpo"
    card = Card(
        summary="extragradient on the KL-regularised game (two oracle rounds a step)",
        title="Extragradient Preference Optimization (EGPO): Beyond Last-Iterate Convergence for "
        "Nash Learning from Human Feedback",
        arxiv="2503.08942",
        equations="the two-step update (exact form)",
        badge=Badge.PEER,
        notes=(
            "The authors' simulation sets Nash-MD's mixture weight to 2 lr/N while its own "
            "gradient step is w = 4 lr/N, a factor of 2."
        ),
    )

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """The extrapolation, then the step; both anchored on the current policy."""
        alpha = self.step(iteration)
        w = alpha * self.temperature
        anchors = ((CURRENT, 1 - w), (REFERENCE, w))
        return (
            Update(anchors=anchors, opponents=((CURRENT, 1.0),), step_size=alpha),
            Update(anchors=anchors, opponents=((INTERMEDIATE, 1.0),), step_size=alpha),
        )
