"""DNO: direct Nash optimisation."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT
from mnpo.algorithms.update import Distance, Update


@dataclass(frozen=True, kw_only=True, eq=False)
class DNO(Algorithm):
    """Regress the log-ratio on the soft label sigma(r_t(y) - r_t(y')), r_t(y) = P(y > pi_t).

    The regression is realisable, so for any pair distribution of full support the population
    minimiser is one MWU step of size alpha = 1/eta.
    """

    slug = "dno"
    card = Card(
        summary="logistic regression on soft win-rate labels, one MWU step each",
        title="Direct Nash Optimization: Teaching Language Models to Self-Improve",
        arxiv="2404.03715",
        equations="Alg. 1 (population form with soft labels)",
        badge=Badge.EXACT,
        notes="Only the soft labels make it exact MWU; with hard labels it is iterative DPO.",
    )
    finds = "nash"
    reads = frozenset({"step_size"})

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the current policy, soft logistic distance."""
        return (
            Update(
                anchors=((CURRENT, 1.0),),
                opponents=((CURRENT, 1.0),),
                step_size=self.step(iteration),
                distance=Distance.SOFT_LOGISTIC,
            ),
        )
