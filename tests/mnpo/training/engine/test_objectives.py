"""Objectives against loops over pairs, and what padding may not do."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch

from mnpo import losses
from mnpo.algorithms import get_algorithm
from mnpo.errors import InvalidSetting
from mnpo.losses import objective as of_update
from mnpo.training.engine.collate import collate
from mnpo.training.engine.objectives import pair_loss_objective, update_objective

LIKE = torch.zeros((), dtype=torch.float64)

#: Settings for every stand-alone loss.
SETTINGS: dict[str, dict[str, Any]] = {
    "mnpo": {"step_size": 0.7},
    "mnpo-target": {},
    "inpo": {"step_size": 0.7},
    "onpo": {"step_size": 0.7},
    "ipo": {"temperature": 0.4},
    "dpo": {"scale": 0.3},
    "dno": {"scale": 0.3},
    "dno-prct": {"scale": 0.3},
    "rpo-backward-kl": {"scale": 0.3},
    "rpo-forward-kl": {"scale": 0.3, "target": 1.2},
    "distill-dpo": {"scale": 0.3},
    "spin": {"scale": 0.3},
    "sppo": {"step_size": 0.7},
    "kto": {"scale": 0.3, "desirable_weight": 1.2},
    "r-dpo": {"scale": 0.3, "length_penalty": 0.05},
    "f-dpo": {"scale": 0.3, "divergence": "forward-kl"},
    "mio": {},
    "simpo": {"scale": 2.0, "target_margin": 0.3},
    "cpo": {"scale": 0.3},
    "orpo": {"odds_weight": 0.5},
    "slic-hf": {"target_margin": 1.0, "likelihood_weight": 0.1},
    "rrhf": {},
}


@pytest.fixture(scope="module")
def examples(lab: Any) -> Any:
    return lab.random_examples(5, seed=4)


@pytest.fixture(scope="module")
def batch(examples: Any) -> Any:
    return collate(examples, like=LIKE)


def policy(batch: Any, seed: int = 0) -> torch.Tensor:
    noise = torch.tensor(np.random.default_rng(seed).normal(size=batch.present.shape))
    return (batch.anchor_log_probs + noise).masked_fill(~batch.present, 0.0).requires_grad_()


def one_at_a_time(name: str, settings: dict[str, Any], log_probs: Any, example: Any) -> float:
    """The loss of one group by loops over its pairs, every argument spelled out."""
    loss = losses.get_loss(name)
    k = len(example.response_ids)
    lp, p, w = log_probs[:k], example.preferences, example.weights
    f = lp - torch.tensor(example.anchor_log_probs)
    rates = [
        sum(w[i, j] * p[i, j] + w[j, i] * (1 - p[j, i]) for j in range(k))
        / sum(w[i, j] + w[j, i] for j in range(k))
        for i in range(k)
    ]
    if name in ("sppo", "kto"):
        total = 0.0
        z = max(float(f.mean()), 0.0)
        for i in range(k):
            extra = (
                {"win_rate": rates[i]} if name == "sppo" else {"desirable": rates[i], "z_ref": z}
            )
            share = sum(w[i, j] + w[j, i] for j in range(k)) / 2
            total += share * float(loss.function(f[i], **extra, **settings))
        return total

    def of(i: int, j: int, **label: float) -> float:
        tensors = {
            "margin": f[i] - f[j],
            "chosen_log_ratio": f[i],
            "rejected_log_ratio": f[j],
            "chosen_log_probs": lp[i],
            "rejected_log_probs": lp[j],
        }
        extra: dict[str, Any] = dict(label)
        if name in ("r-dpo", "simpo", "orpo", "rrhf"):
            extra["chosen_lengths"] = float(len(example.response_ids[i]))
            extra["rejected_lengths"] = float(len(example.response_ids[j]))
        if name == "dno":
            extra["win_rate_gap"] = rates[i] - rates[j]
        if name == "distill-dpo":
            extra["reward_gap"] = example.values[i] - example.values[j]
        if name in ("mnpo-target", "rpo-backward-kl"):
            extra["target"] = example.values[i] - example.values[j]
        arguments = [tensors[input_] for input_ in loss.inputs]
        return float(loss.function(*arguments, **extra, **settings))

    soft = ("mnpo", "inpo", "onpo", "ipo", "dpo", "dno-prct", "rpo-forward-kl", "r-dpo", "f-dpo")
    total = 0.0
    for i in range(k):
        for j in range(k):
            if w[i, j] == 0:
                continue
            if name in (*soft, "simpo"):
                pair = of(i, j, preference=p[i, j])
            elif name in ("dno", "distill-dpo", "spin", "mnpo-target", "rpo-backward-kl"):
                pair = of(i, j)
            else:
                pair = p[i, j] * of(i, j) + (1 - p[i, j]) * of(j, i)
            total += w[i, j] * pair
    return total


def test_no_loss_is_forgotten() -> None:
    assert set(SETTINGS) | {"gshf"} == set(losses.LOSSES)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_loss_is_the_sum_over_its_pairs(name: str, examples: Any, batch: Any) -> None:
    log_probs = policy(batch)
    found = pair_loss_objective(name, SETTINGS[name])(log_probs, batch)
    assert found.shape == (len(examples),)
    expected = [
        one_at_a_time(name, SETTINGS[name], row.detach(), example)
        for row, example in zip(log_probs, examples, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
def test_padding_changes_nothing(name: str, examples: Any, batch: Any) -> None:
    """Neither losses nor gradients: a group alone, and beside a larger one."""
    objective = pair_loss_objective(name, SETTINGS[name])
    together = policy(batch)
    objective(together, batch).sum().backward()
    assert together.grad is not None
    assert together.grad.isfinite().all()
    assert (together.grad[~batch.present] == 0).all()
    small = min(range(len(examples)), key=lambda i: len(examples[i].response_ids))
    k = len(examples[small].response_ids)
    assert k < batch.present.shape[1]
    alone = together.detach()[small : small + 1, :k].clone().requires_grad_()
    objective(alone, collate([examples[small]], like=LIKE)).sum().backward()
    torch.testing.assert_close(alone.grad[0], together.grad[small, :k], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("log_prob", [-1e4, -1e-9])
@pytest.mark.parametrize("name", SETTINGS)
def test_extreme_responses_keep_gradients_finite(name: str, log_prob: float, lab: Any) -> None:
    batch = collate(lab.random_examples(4, seed=4), like=torch.zeros(()))
    log_probs = policy(batch).detach().float()
    log_probs[0, 0] = log_prob
    log_probs.requires_grad_()
    pair_loss_objective(name, SETTINGS[name])(log_probs, batch).sum().backward()
    assert log_probs.grad is not None
    assert log_probs.grad.isfinite().all()


def test_per_token_ipo(examples: Any, batch: Any) -> None:
    log_probs = policy(batch)
    f = (log_probs - batch.anchor_log_probs) / batch.lengths
    expected = of_update.preference_objective(
        f,
        distance=update_objective(get_algorithm("ipo").updates(0)[0]).update.distance,
        step_size=1 / 0.4,
        weights=batch.weights,
        preferences=batch.preferences,
    )
    objective = pair_loss_objective("ipo", {"temperature": 0.4, "per_token": True})
    torch.testing.assert_close(objective(log_probs, batch), expected)
    summed = pair_loss_objective("ipo", {"temperature": 0.4})
    assert not torch.allclose(summed(log_probs, batch), expected)


def test_updates_choose_their_objective(examples: Any, batch: Any) -> None:
    log_probs = policy(batch)
    f = log_probs - batch.anchor_log_probs
    labelled = collate([_without_values(e) for e in examples], like=LIKE)
    (inpo,) = get_algorithm("inpo", step_size=0.7).updates(0)
    torch.testing.assert_close(
        update_objective(inpo)(log_probs, labelled),
        pair_loss_objective("mnpo", {"step_size": 0.7})(log_probs, labelled),
    )
    expected = of_update.regression_objective(
        f, step_size=0.7, weights=batch.weights, values=batch.values
    )
    torch.testing.assert_close(update_objective(inpo)(log_probs, batch), expected)
    (spin,) = get_algorithm("spin", beta=0.5).updates(0)
    torch.testing.assert_close(
        update_objective(spin)(log_probs, batch),
        pair_loss_objective("spin", {"scale": 0.5})(log_probs, batch),
    )
    (onpo,) = get_algorithm("onpo", step_size=0.7).updates(1)
    torch.testing.assert_close(update_objective(onpo)(log_probs, batch), expected)
    with pytest.raises(InvalidSetting, match="regresses on values"):
        update_objective(onpo)(log_probs, labelled)


def _without_values(example: Any) -> Any:
    from dataclasses import replace

    return replace(example, values=None)


def test_objectives_are_values() -> None:
    settings = {"length_penalty": 0.1, "scale": 2.0}
    one = pair_loss_objective("r-dpo", settings)
    other = pair_loss_objective("r-dpo", dict(reversed(settings.items())))
    assert one == other
    assert repr(one) == repr(other)
    assert " at 0x" not in repr(one)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("dpoo", {}, "no loss 'dpoo'; did you mean 'dpo'"),
        ("dpo", {}, "loss 'dpo' needs the setting 'scale'"),
        ("dpo", {"scal": 1.0}, "loss 'dpo' has no setting 'scal'; did you mean 'scale'"),
        ("dpo", {"scale": 1.0, "preference": 1.0}, "preference comes from the data"),
        ("dpo", {"scale": 1.0, "per_token": True}, "no setting 'per_token'"),
        ("gshf", {"scale": 1.0}, "needs uncertainties"),
    ],
)
def test_refusals(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        pair_loss_objective(name, settings)


def test_losses_that_read_rewards_want_them(examples: Any) -> None:
    batch = collate([_without_values(e) for e in examples], like=LIKE)
    with pytest.raises(InvalidSetting, match="loss 'distill-dpo' reads rewards"):
        pair_loss_objective("distill-dpo", {"scale": 1.0})(policy(batch), batch)


def test_half_of_the_values_is_an_error(examples: Any) -> None:
    mixed = [examples[0], _without_values(examples[1])]
    with pytest.raises(InvalidSetting, match="1 of 2 examples have values"):
        collate(mixed, like=LIKE)


def test_the_naive_twin_knows_every_argument() -> None:
    """So that a new argument of a loss cannot slip in unnoticed."""
    known = {"preference", "win_rate", "win_rate_gap", "reward_gap", "desirable", "z_ref", "target"}
    known |= {"chosen_lengths", "rejected_lengths", "log_partition", "target_log_probs"}
    for name, settings in SETTINGS.items():
        for argument, default in losses.get_loss(name).settings.items():
            if default is inspect.Parameter.empty:
                assert argument in known or argument in settings, (name, argument)
