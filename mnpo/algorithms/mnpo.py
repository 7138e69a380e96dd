"""TD-MNPO: multiplayer Nash preference optimisation with past policies as opponents."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.scalars import Scalar
from mnpo.algorithms.sources import CURRENT, REFERENCE, History
from mnpo.algorithms.update import Update, Weighted
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class MNPO(Algorithm):
    """Time-dependent MNPO: anchored on the last n - 1 policies and the reference.

    log pi' = sum_j lambda_j log pi_{t-j} + w log ref + alpha P pi_t, with w = alpha tau and the
    history weights scaled so that they sum to 1 - w. The fixed point is the KL-regularised
    equilibrium for any such weights; history changes the path, not the destination.

    Attributes:
        num_players: n; without ``history_weights`` the n - 1 lags 0 ... n - 2 share 1 - w
            equally. n = 2 is INPO.
        history_weights: relative weights of lags 0, 1, ...; overrides ``num_players``.
        reference_weight: w, when it shall not be alpha tau (the fixed point's temperature then
            is w / alpha).
        scale_weights: True scales the history weights to sum to 1 - w. False takes them
            literally, as the paper allows sums below one: the fixed point then has reference
            ref^(w / (1 - sum lambda)) and temperature (1 - sum lambda) / alpha, a hidden
            entropy bonus.
        advantage: "current": pairs sampled from pi_t (Alg. 1). "average": measured against the
            same weighted opponents, reference included (Eq. 13). "reward": a scalar reward gap
            as in the released code; that is plain RLHF, not a game.
        target_form: "sound" makes ``step_size`` the step alpha. "literal" takes the target
            1/(2 step_size) of Eq. 15 as printed, which makes the step 1/step_size.
    """

    num_players: int = 3
    history_weights: tuple[float, ...] | None = None
    reference_weight: Scalar | None = None
    scale_weights: bool = True
    advantage: Literal["current", "average", "reward"] = "current"
    target_form: Literal["sound", "literal"] = "sound"

    slug = "mnpo"
    card = Card(
        summary="anchored on several past policies and the reference (TD-MNPO)",
        title="Multiplayer Nash Preference Optimization",
        arxiv="2509.23102",
        equations="Eq. 17, Alg. 1 (advantage against the pair sampler); Eq. 13 by name",
        badge=Badge.EXACT,
        notes=(
            "Eq. 15's target 1/(2 eta) contradicts Eq. 10's step eta; they agree only at eta/2. "
            "Eq. 17 is read with a stop-gradient on the pair sampler."
        ),
    )

    def __post_init__(self) -> None:
        """Check the weights."""
        super().__post_init__()
        self._require_choice("advantage", ("current", "average", "reward"))
        self._require_choice("target_form", ("sound", "literal"))
        if self.num_players < 2:
            raise InvalidSetting(
                f"{self.name}: num_players must be at least 2, got {self.num_players}"
            )
        weights = self.history_weights
        if weights is not None:
            if len(weights) == 0 or not all(np.isfinite(x) and x >= 0 for x in weights):
                raise InvalidSetting(
                    f"{self.name}: history_weights must be numbers of at least 0, one for each "
                    f"lag 0, 1, ...; got {list(weights)}"
                )
            if sum(weights) <= 0:
                raise InvalidSetting(f"{self.name}: history_weights must not all be 0")
        if self.reference_weight is not None:
            self._require_positive("reference_weight", allow_zero=True)
            if self.scale_weights and np.any(np.asarray(self.reference_weight) >= 1):
                raise InvalidSetting(
                    f"{self.name}: reference_weight must be below 1, got {self.reference_weight}"
                )

    def weights(self, iteration: int = 0) -> tuple[tuple[Scalar, ...], Scalar]:
        """(lambda_0, lambda_1, ...), w: the anchors' weights at an iteration."""
        relative = self.history_weights or (1.0,) * (self.num_players - 1)
        w = self.reference_weight
        if w is None:
            w = self.alpha(iteration) * self.temperature
        if not self.scale_weights:
            return tuple(relative), w
        total = sum(relative)
        return tuple((1 - w) * (weight / total) for weight in relative), w

    def alpha(self, iteration: int) -> Scalar:
        """The step on the log-odds: ``step_size``, or its inverse under the literal target."""
        step = self.step(iteration)
        return step if self.target_form == "sound" else 1 / step

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored on the history and the reference."""
        history, w = self.weights(iteration)
        anchors: tuple[Weighted, ...] = (
            *((History(lag), weight) for lag, weight in enumerate(history)),
            (REFERENCE, w),
        )
        opponents: tuple[Weighted, ...] = ((CURRENT, 1.0),)
        if self.advantage == "average":
            total = sum(history) + w
            opponents = tuple((source, weight / total) for source, weight in anchors)
        elif self.advantage == "reward":
            opponents = ()
        return (
            Update(
                anchors=anchors,
                opponents=opponents,
                step_size=self.alpha(iteration),
                advantage="reward" if self.advantage == "reward" else "preference",
            ),
        )
