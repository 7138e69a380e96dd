"""INPO: iterative Nash policy optimisation."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE
from mnpo.algorithms.update import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class INPO(Algorithm):
    """Online mirror descent on the KL-regularised game, pairs sampled from the current policy.

    log pi' = (1 - w) log pi + w log ref + alpha P pi,  w = alpha tau. The paper's eta is the
    inverse step: alpha = 1/eta, w = tau/eta, squared-loss target 1/(2 eta).
    """

    slug = "inpo"
    card = Card(
        summary="self-play mirror descent on the KL-regularised game",
        title="Iterative Nash Policy Optimization: Aligning LLMs with General Preferences via "
        "No-Regret Learning",
        arxiv="2407.00617",
        equations="Alg. 1 with target 1/(2 eta); row INPO of MNPO's Table 1",
        badge=Badge.EXACT,
        notes="MNPO's Table 1 prints the target as 1/(2 tau); the INPO paper's 1/(2 eta) is used.",
    )

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the current policy and the reference."""
        alpha = self.step(iteration)
        w = alpha * self.temperature
        return (
            Update(
                anchors=((CURRENT, 1 - w), (REFERENCE, w)),
                opponents=((CURRENT, 1.0),),
                step_size=alpha,
            ),
        )
