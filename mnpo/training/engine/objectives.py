"""From an update of an algorithm, or a stand-alone loss, to the objective that is descended.

An objective is a value: its `repr` names the loss and its settings, and goes into the key under
which a training run finds its own checkpoints again.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mnpo.algorithms import Update
from mnpo.errors import InvalidSetting, suggest
from mnpo.losses import Loss, get_loss
from mnpo.losses.objective import (
    demonstration_objective,
    preference_objective,
    regression_objective,
    win_rates,
)
from mnpo.training.examples import GroupBatch

#: Settings that the batch fills in, so that nobody else may.
_FROM_BATCH = (
    "preference chosen_lengths rejected_lengths reward_gap win_rate win_rate_gap desirable z_ref "
    "target_log_probs uncertainty_gap log_partition"
).split()


@dataclass(frozen=True)
class UpdateObjective:
    """The loss of one update of an algorithm, see `mnpo.losses.objective`.

    Attributes:
        update: names distance, step size and kind of advantage. Its anchors, opponents and
            winners are already in the batch: log-probs, weights and labels.
    """

    update: Update

    @property
    def regresses(self) -> bool:
        """Whether margins can only be regressed on ``values``, not on labelled comparisons.

        So for rewards, and for advantages that extrapolate (an opponent with a negative
        coefficient, as in optimistic methods): no label has such an expectation. Other updates
        regress where the examples bring values, which are then known advantages.
        """
        coefficients = [float(share) for _, share in self.update.opponents]
        return self.update.advantage == "reward" or any(share < 0 for share in coefficients)

    def __call__(self, log_probs: Tensor, batch: GroupBatch) -> Tensor:
        """Loss of each group, (B,).

        Args:
            log_probs: (B, K) summed log-probabilities of the policy, nats.
            batch: the same B groups.

        Raises:
            InvalidSetting: the update regresses on values and the batch has none.
        """
        f = _log_ratio(log_probs, batch)
        step_size = float(self.update.step_size)
        if self.update.winners is not None:
            return demonstration_objective(f, step_size=step_size, weights=batch.weights)
        if self.regresses and batch.values is None:
            raise InvalidSetting("this update regresses on values, and the examples have none")
        if batch.values is not None:
            return regression_objective(
                f, step_size=step_size, weights=batch.weights, values=batch.values
            )
        return preference_objective(
            f,
            distance=self.update.distance,
            step_size=step_size,
            weights=batch.weights,
            preferences=batch.preferences,
        )


@dataclass(frozen=True)
class PairLossObjective:
    """A stand-alone loss of `mnpo.losses` over all compared pairs of a group.

    Every pair (i, j) with a weight is taken with i as the chosen response. A loss that knows soft
    labels gets ``preference = preferences[i, j]``; of another one the expectation over the label
    is taken, p L(i, j) + (1 - p) L(j, i). Losses that read a gap (of rewards, of win rates, a
    target) or demonstrations have no label to take an expectation over.

    The log-ratio is that to the anchors, which for a classical offline loss are the reference
    alone. Losses of one response (sppo, kto) are averaged over the responses by their shares of
    the comparisons, as chosen or as rejected; on a single pair that is half of the sum that other
    implementations take. For kto a response is desirable with its win rate, and the reference
    point, KL(pi || ref), is the group's own mean log-ratio, no less than zero and without
    gradient: an estimate where the responses are samples of the policy; over samples of the
    reference its mean is -KL(ref || pi), so that the point is zero. (The paper pairs
    prompts with responses of others, for want of several responses each.) It needs no other
    group, so it does not depend on how a step is split.

    Attributes:
        name: of the loss in `mnpo.losses`.
        settings: its keyword arguments, sorted by name.
        per_token: average over the tokens of a response where the loss leaves the choice (ipo:
            the log-ratios, TRL's convention; cpo: the likelihood term).
    """

    name: str
    settings: tuple[tuple[str, float | str], ...] = ()
    per_token: bool = False

    def __call__(self, log_probs: Tensor, batch: GroupBatch) -> Tensor:
        """Loss of each group, (B,); arguments as for `UpdateObjective`.

        Raises:
            InvalidSetting: the loss needs values and the batch has none.
        """
        if not self.loss.pairwise:
            return self._of_responses(log_probs, batch)
        # Only pairs with a weight are ever evaluated, so that padding can do no harm: neither a
        # 0 * inf in the loss nor one in its gradient.
        group, i, j = batch.weights.nonzero(as_tuple=True)
        weight, label = batch.weights[group, i, j], batch.preferences[group, i, j]
        known = self.loss.settings
        if "preference" in known or not self._has_label:
            loss = self._of_pairs(log_probs, batch, (group, i, j), label)
        else:
            certain = torch.ones_like(label)
            won = self._of_pairs(log_probs, batch, (group, i, j), certain)
            lost = self._of_pairs(log_probs, batch, (group, j, i), certain)
            loss = label * won + (1 - label) * lost
        return log_probs.new_zeros(len(log_probs)).index_add(0, group, weight * loss)

    @property
    def loss(self) -> Loss:
        """The row of the table."""
        return get_loss(self.name)

    @property
    def _has_label(self) -> bool:
        """Whether the loss tells a chosen from a rejected response at all."""
        gap = {"reward_gap", "win_rate_gap"} & set(self.loss.settings)
        return not gap and self.name not in ("spin", "mnpo-target")

    def _of_pairs(
        self,
        log_probs: Tensor,
        batch: GroupBatch,
        pairs: tuple[Tensor, Tensor, Tensor],
        label: Tensor,
    ) -> Tensor:
        """(P,) losses of the pairs (group, chosen, rejected)."""
        group, i, j = pairs
        f = _log_ratio(log_probs, batch)
        tensors = {
            "margin": f[group, i] - f[group, j],
            "chosen_log_ratio": f[group, i],
            "rejected_log_ratio": f[group, j],
            "chosen_log_probs": log_probs[group, i],
            "rejected_log_probs": log_probs[group, j],
        }
        known, keywords = self.loss.settings, dict[str, Any](self.settings)
        lengths = {"chosen_lengths": batch.lengths[group, i]}
        lengths["rejected_lengths"] = batch.lengths[group, j]
        for name, length in lengths.items():
            required = name in known and known[name] is inspect.Parameter.empty
            if required or (name in known and self.per_token):
                keywords[name] = length
        if "win_rate_gap" in known:
            rates = win_rates(batch.weights, batch.preferences)
            keywords["win_rate_gap"] = rates[group, i] - rates[group, j]
        for name in {"reward_gap", "target"} & (set(known) - set(keywords)):
            values = _values(self.name, batch)
            keywords[name] = values[group, i] - values[group, j]
            label = torch.ones_like(label)  # the sign of the gap says who won
        if "preference" in known:
            keywords["preference"] = label
        return self.loss.function(*(tensors[name] for name in self.loss.inputs), **keywords)

    def _of_responses(self, log_probs: Tensor, batch: GroupBatch) -> Tensor:
        f, known = _log_ratio(log_probs, batch), self.loss.settings
        rates = win_rates(batch.weights, batch.preferences)
        keywords = dict[str, Any](self.settings)
        keywords["win_rate" if "win_rate" in known else "desirable"] = rates
        if "z_ref" in known:
            mean = f.detach().sum(dim=-1, keepdim=True) / batch.present.sum(dim=-1, keepdim=True)
            keywords["z_ref"] = mean.clamp_min(0.0)
        share = (batch.weights.sum(dim=-1) + batch.weights.sum(dim=-2)) / 2
        return (share * self.loss.function(f, **keywords)).sum(dim=-1)


def update_objective(update: Update) -> UpdateObjective:
    """The objective of one update of an algorithm.

    Raises:
        InvalidSetting: its step size is a whole batch of numbers.
    """
    if torch.as_tensor(update.step_size).ndim:
        raise InvalidSetting("training a language model takes one step_size, not an array")
    return UpdateObjective(update)


def pair_loss_objective(name: str, settings: Mapping[str, Any]) -> PairLossObjective:
    """The objective of a stand-alone loss, by its name in `mnpo.losses`.

    Args:
        name: as in `mnpo.losses.LOSSES`.
        settings: the loss's own hyper-parameters, and ``per_token`` where the loss leaves the
            choice between sums and averages over tokens.

    Raises:
        InvalidSetting: no such loss, an unknown or missing setting, a setting that comes from
            the data, or a loss whose data the trainer does not have (gshf).
    """
    loss = get_loss(name)
    if "uncertainty_gap" in loss.settings:
        raise InvalidSetting(
            f"loss '{name}' needs uncertainties of the rewards, which no oracle has"
        )
    optional = [
        key
        for key in ("chosen_lengths", "rejected_lengths")
        if key in loss.settings and loss.settings[key] is None
    ]
    own = {key: default for key, default in loss.settings.items() if key not in _FROM_BATCH}
    allowed = [*own, *(["per_token"] if optional else [])]
    for key in settings:
        if key in _FROM_BATCH and key in loss.settings:
            raise InvalidSetting(f"loss '{name}': {key} comes from the data and cannot be set")
        if key not in allowed:
            raise InvalidSetting(f"loss '{name}' has no setting '{key}'{suggest(key, allowed)}")
    for key, default in own.items():
        # Without a constant target the gap of the values is the target.
        if default is inspect.Parameter.empty and key not in settings and key != "target":
            raise InvalidSetting(f"loss '{name}' needs the setting '{key}'")
    values = {key: value for key, value in settings.items() if key != "per_token"}
    return PairLossObjective(
        name, tuple(sorted(values.items())), per_token=bool(settings.get("per_token", False))
    )


def _log_ratio(log_probs: Tensor, batch: GroupBatch) -> Tensor:
    """(B, K) f = log pi minus the anchors' term, nats; 0 where padded."""
    return (log_probs - batch.anchor_log_probs).masked_fill(~batch.present, 0.0)


def _values(name: str, batch: GroupBatch) -> Tensor:
    if batch.values is None:
        raise InvalidSetting(f"loss '{name}' reads rewards, and the examples have no values")
    return batch.values
