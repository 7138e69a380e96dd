"""One update of one player: the declarative core that every scale interprets."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from mnpo.algorithms.scalars import Scalar
from mnpo.algorithms.sources import Source

Weighted: TypeAlias = tuple[Source, Scalar]


class Distance(StrEnum):
    """How the log-ratio margin f(y) - f(y') is pulled towards its target.

    With f(y) = log pi(y) - sum_j weight_j log anchor_j(y) and pairs drawn from the opponents:

    * SQUARED: (f(y_w) - f(y_l) - step_size / 2)^2 over preference-labelled pairs. Population
      minimiser: f = step_size * (P mu) + const on the opponents' support.
    * SOFT_LOGISTIC: logistic regression on the soft label sigma(r(y) - r(y')), r = P mu (DNO).
      The same minimiser, for any pair distribution of full support.
    * LOGISTIC: logistic regression on the preference labels themselves (DPO); the minimiser is
      step_size times the Bradley-Terry projection of P under the pair weights.
    * POINTWISE: (f(y) - step_size * (P(y > mu) - 1/2))^2 without the log-partition term
      (SPPO's practical loss); its minimiser on the simplex is close to, not equal to, SQUARED's.
    """

    SQUARED = "squared"
    SOFT_LOGISTIC = "soft-logistic"
    LOGISTIC = "logistic"
    POINTWISE = "pointwise"


@dataclass(frozen=True)
class Update:
    """Find the policy whose log-ratio to the anchors is ``step_size`` times the advantage.

    In the common convention, for the distances that have a closed form::

        log pi_new = sum_j weight_j log anchor_j + step_size * sum_k coefficient_k P mu_k + const

    Attributes:
        anchors: policies and their weights on the log-probabilities.
        opponents: policies the advantage is measured against, which is also where the pairs are
            sampled from, with their coefficients. Positive coefficients that sum to one are a
            mixture; optimistic methods extrapolate with a negative one.
        step_size: step on the log-odds per unit of win probability (alpha); for LOGISTIC, the
            factor 1/beta on the Bradley-Terry scores.
        distance: the loss, see `Distance`.
        advantage: "preference" measures win rates against the opponents, "reward" uses a scalar
            reward r(y) and no opponents (EO-MNPO, or MNPO with a reward-gap target).
        winners: when given, pairs take their winner from this source and their loser from the
            opponents, and no preference is asked (SPIN).
    """

    anchors: tuple[Weighted, ...]
    opponents: tuple[Weighted, ...]
    step_size: Scalar
    distance: Distance = Distance.SQUARED
    advantage: Literal["preference", "reward"] = "preference"
    winners: Source | None = None
