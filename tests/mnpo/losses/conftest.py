"""A naive numpy twin of every loss, with its gradient derived by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mnpo import losses

Array = NDArray[np.float64]


def sigma(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def log_sigma(x: Array) -> Array:
    return np.log(sigma(x))


def bernoulli_kl(p: Array, q: Array) -> Array:
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))


@dataclass(frozen=True)
class Case:
    """One loss at one setting.

    Attributes:
        name: of the test.
        function: the loss.
        inputs: how many tensors carry a gradient.
        log_probs: whether they are log-probabilities (negative) rather than log-ratios.
        settings: keyword arguments; numbers, strings, or a function of (rng, shape).
        value: the twin, from the inputs and settings.
        gradient: the twin's gradient, one array an input.
    """

    name: str
    function: Callable[..., torch.Tensor]
    inputs: int
    value: Callable[..., Array]
    gradient: Callable[..., tuple[Array, ...]]
    settings: dict[str, Any] = field(default_factory=dict)
    log_probs: bool = False

    def draw(self, seed: int, shape: tuple[int, ...]) -> tuple[list[Array], dict[str, Any]]:
        rng = np.random.default_rng(seed)
        tensors = [rng.normal(scale=2.0, size=shape) for _ in range(self.inputs)]
        if self.log_probs:
            tensors = [-20.0 * np.abs(t) - 0.5 for t in tensors]
        settings = {k: v(rng, shape) if callable(v) else v for k, v in self.settings.items()}
        return tensors, settings

    def call(
        self, tensors: list[Array], settings: dict[str, Any], dtype: torch.dtype = torch.float64
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        leaves = [torch.tensor(t, dtype=dtype, requires_grad=True) for t in tensors]
        ready = {
            k: torch.tensor(v, dtype=dtype if v.dtype == np.float64 else None)
            if isinstance(v, np.ndarray)
            else v
            for k, v in settings.items()
        }
        return self.function(*leaves, **ready), leaves


def uniform(low: float, high: float) -> Callable[..., Array]:
    return lambda rng, shape: np.asarray(rng.uniform(low, high, size=shape))


def whole(low: int, high: int) -> Callable[..., NDArray[np.int64]]:
    return lambda rng, shape: np.asarray(rng.integers(low, high, size=shape))


PREFERENCE = uniform(0.0, 1.0)
LENGTHS = {"chosen_lengths": whole(5, 40), "rejected_lengths": whole(5, 40)}


def squared(f, step_size, preference=1.0):
    c = step_size / 2
    return preference * (f - c) ** 2 + (1 - preference) * (f + c) ** 2


def squared_grad(f, step_size, preference=1.0):
    return (2 * f - step_size * (2 * preference - 1),)


def logistic(f, scale, preference=1.0):
    return -preference * log_sigma(scale * f) - (1 - preference) * log_sigma(-scale * f)


def logistic_grad(f, scale, preference=1.0):
    return (scale * (sigma(scale * f) - preference),)


def backward(f, target, scale=1.0, preference=1.0):
    right = bernoulli_kl(sigma(target), sigma(scale * f))
    return preference * right + (1 - preference) * bernoulli_kl(sigma(target), sigma(-scale * f))


def backward_grad(f, target, scale=1.0, preference=1.0):
    mean = preference * sigma(target) + (1 - preference) * sigma(-target)
    return (scale * (sigma(scale * f) - mean),)


def forward(f, target, scale=1.0, preference=1.0):
    right = bernoulli_kl(sigma(scale * f), sigma(target))
    return preference * right + (1 - preference) * bernoulli_kl(sigma(-scale * f), sigma(target))


def forward_grad(f, target, scale=1.0, preference=1.0):
    z = scale * f
    return (scale * sigma(z) * sigma(-z) * (z - (2 * preference - 1) * target),)


def sppo(f, step_size, win_rate, log_partition=None):
    constant = step_size / 2 if log_partition is None else log_partition
    return (f - step_size * win_rate + constant) ** 2


def sppo_grad(f, step_size, win_rate, log_partition=None):
    constant = step_size / 2 if log_partition is None else log_partition
    return (2 * (f - step_size * win_rate + constant),)


def kto(f, desirable, scale, z_ref, desirable_weight=1.0, undesirable_weight=1.0):
    gain = desirable_weight * (1 - sigma(scale * (f - z_ref)))
    return desirable * gain + (1 - desirable) * undesirable_weight * (
        1 - sigma(scale * (z_ref - f))
    )


def kto_grad(f, desirable, scale, z_ref, desirable_weight=1.0, undesirable_weight=1.0):
    slope = scale * sigma(scale * (f - z_ref)) * sigma(scale * (z_ref - f))
    return (((1 - desirable) * undesirable_weight - desirable * desirable_weight) * slope,)


def ipo(a, b, temperature, preference=1.0, chosen_lengths=1.0, rejected_lengths=1.0):
    return squared(a / chosen_lengths - b / rejected_lengths, 1 / temperature, preference)


def ipo_grad(a, b, temperature, preference=1.0, chosen_lengths=1.0, rejected_lengths=1.0):
    (slope,) = squared_grad(a / chosen_lengths - b / rejected_lengths, 1 / temperature, preference)
    return slope / chosen_lengths, -slope / rejected_lengths


def r_dpo(f, scale, length_penalty, chosen_lengths, rejected_lengths, preference=1.0):
    z = scale * f + length_penalty * (chosen_lengths - rejected_lengths)
    return logistic(z, 1.0, preference)


def r_dpo_grad(f, scale, length_penalty, chosen_lengths, rejected_lengths, preference=1.0):
    z = scale * f + length_penalty * (chosen_lengths - rejected_lengths)
    return (scale * (sigma(z) - preference),)


def gshf(f, scale, uncertainty_gap, preference=1.0):
    return logistic(scale * f + uncertainty_gap, 1.0, preference)


def gshf_grad(f, scale, uncertainty_gap, preference=1.0):
    return (scale * (sigma(scale * f + uncertainty_gap) - preference),)


F_PRIME = {
    "reverse-kl": lambda u, alpha: np.log(u),
    "forward-kl": lambda u, alpha: 1 - 1 / u,
    "jensen-shannon": lambda u, alpha: np.log(2 * u / (1 + u)),
    "alpha": lambda u, alpha: (1 - u**-alpha) / alpha,
}
F_PRIME_SLOPE = {  # d f'(u) / d log u
    "reverse-kl": lambda u, alpha: np.ones_like(u),
    "forward-kl": lambda u, alpha: 1 / u,
    "jensen-shannon": lambda u, alpha: 1 / (1 + u),
    "alpha": lambda u, alpha: u**-alpha,
}


def f_dpo(a, b, scale, divergence="reverse-kl", alpha=0.5, preference=1.0):
    score = F_PRIME[divergence]
    return logistic(score(np.exp(a), alpha) - score(np.exp(b), alpha), scale, preference)


def f_dpo_grad(a, b, scale, divergence="reverse-kl", alpha=0.5, preference=1.0):
    score, slope = F_PRIME[divergence], F_PRIME_SLOPE[divergence]
    (common,) = logistic_grad(score(np.exp(a), alpha) - score(np.exp(b), alpha), scale, preference)
    return common * slope(np.exp(a), alpha), -common * slope(np.exp(b), alpha)


def mio(a, b):
    u, v = np.exp(a), np.exp(b)
    return np.log(1 + 1 / u) + np.log(1 + u) / 2 + np.log(1 + v) / 2


def mio_grad(a, b):
    return sigma(a) / 2 - sigma(-a), sigma(b) / 2


def simpo(a, b, chosen_lengths, rejected_lengths, scale, target_margin, preference=1.0):
    reward = scale * (a / chosen_lengths - b / rejected_lengths)
    right = log_sigma(reward - target_margin)
    return -preference * right - (1 - preference) * log_sigma(-reward - target_margin)


def simpo_grad(a, b, chosen_lengths, rejected_lengths, scale, target_margin, preference=1.0):
    reward = scale * (a / chosen_lengths - b / rejected_lengths)
    flipped = (1 - preference) * sigma(reward + target_margin)
    slope = scale * (flipped - preference * sigma(target_margin - reward))
    return slope / chosen_lengths, -slope / rejected_lengths


def cpo(a, b, scale, likelihood_weight=1.0, chosen_lengths=1.0):
    return logistic(a - b, scale) - likelihood_weight * a / chosen_lengths


def cpo_grad(a, b, scale, likelihood_weight=1.0, chosen_lengths=1.0):
    slope = scale * sigma(-scale * (a - b))
    return -slope - likelihood_weight / chosen_lengths, slope


def log_odds(x):
    return np.log(np.exp(x) / (1 - np.exp(x)))


def orpo(a, b, chosen_lengths, rejected_lengths, odds_weight):
    x, y = a / chosen_lengths, b / rejected_lengths
    return -x - odds_weight * log_sigma(log_odds(x) - log_odds(y))


def orpo_grad(a, b, chosen_lengths, rejected_lengths, odds_weight):
    x, y = a / chosen_lengths, b / rejected_lengths
    slope = odds_weight * sigma(log_odds(y) - log_odds(x))
    return (
        (-1 - slope / (1 - np.exp(x))) / chosen_lengths,
        slope / (1 - np.exp(y)) / rejected_lengths,
    )


def slic(a, b, target_margin, likelihood_weight):
    return np.maximum(0, target_margin - a + b) - likelihood_weight * a


def slic_grad(a, b, target_margin, likelihood_weight):
    active = (target_margin - a + b > 0).astype(float)
    return -active - likelihood_weight, active


def rrhf(a, b, chosen_lengths, rejected_lengths, likelihood_weight=1.0):
    return np.maximum(0, b / rejected_lengths - a / chosen_lengths) - likelihood_weight * a


def rrhf_grad(a, b, chosen_lengths, rejected_lengths, likelihood_weight=1.0):
    active = (b / rejected_lengths - a / chosen_lengths > 0).astype(float)
    return -active / chosen_lengths - likelihood_weight, active / rejected_lengths


CASES = [
    Case("squared", losses.squared_pair_loss, 1, squared, squared_grad, {"step_size": 0.7}),
    Case(
        "squared-soft",
        losses.squared_pair_loss,
        1,
        squared,
        squared_grad,
        {"step_size": uniform(0, 3), "preference": PREFERENCE},
    ),
    Case(
        "target",
        losses.squared_target_loss,
        1,
        lambda f, target: (f - target) ** 2,
        lambda f, target: (2 * (f - target),),
        {"target": uniform(-2, 2)},
    ),
    Case("logistic", losses.logistic_pair_loss, 1, logistic, logistic_grad, {"scale": 0.4}),
    Case(
        "logistic-soft",
        losses.logistic_pair_loss,
        1,
        logistic,
        logistic_grad,
        {"scale": uniform(0.1, 3), "preference": PREFERENCE},
    ),
    Case(
        "dno",
        losses.dno_loss,
        1,
        lambda f, scale, win_rate_gap: logistic(f, scale, sigma(win_rate_gap)),
        lambda f, scale, win_rate_gap: logistic_grad(f, scale, sigma(win_rate_gap)),
        {"scale": 1.7, "win_rate_gap": uniform(-1, 1)},
    ),
    Case(
        "backward-kl",
        losses.backward_kl_pair_loss,
        1,
        backward,
        backward_grad,
        {"target": uniform(-3, 3), "scale": 0.6, "preference": PREFERENCE},
    ),
    Case(
        "forward-kl",
        losses.forward_kl_pair_loss,
        1,
        forward,
        forward_grad,
        {"target": uniform(-3, 3), "scale": 0.6, "preference": PREFERENCE},
    ),
    Case(
        "sppo",
        losses.sppo_pointwise_loss,
        1,
        sppo,
        sppo_grad,
        {"step_size": 3.0, "win_rate": PREFERENCE},
    ),
    Case(
        "sppo-exact",
        losses.sppo_pointwise_loss,
        1,
        sppo,
        sppo_grad,
        {"step_size": 3.0, "win_rate": PREFERENCE, "log_partition": uniform(0, 3)},
    ),
    Case(
        "spin",
        losses.spin_loss,
        1,
        lambda f, scale: -log_sigma(scale * f),
        lambda f, scale: (-scale * sigma(-scale * f),),
        {"scale": 1.3},
    ),
    Case(
        "kto",
        losses.kto_loss,
        1,
        kto,
        kto_grad,
        {
            "desirable": lambda rng, shape: np.asarray(rng.random(shape) < 0.5),
            "scale": 0.5,
            "z_ref": 0.3,
            "desirable_weight": 1.3,
            "undesirable_weight": 0.8,
        },
    ),
    Case("ipo-sum", losses.ipo_loss, 2, ipo, ipo_grad, {"temperature": 0.3}),
    Case(
        "ipo-mean",
        losses.ipo_loss,
        2,
        ipo,
        ipo_grad,
        {"temperature": uniform(0.1, 1), "preference": PREFERENCE, **LENGTHS},
    ),
    Case(
        "r-dpo",
        losses.r_dpo_loss,
        1,
        r_dpo,
        r_dpo_grad,
        {"scale": 0.4, "length_penalty": 0.02, "preference": PREFERENCE, **LENGTHS},
    ),
    Case(
        "gshf",
        losses.gshf_loss,
        1,
        gshf,
        gshf_grad,
        {"scale": 0.4, "uncertainty_gap": uniform(-1, 1), "preference": PREFERENCE},
    ),
    Case(
        "distill-dpo",
        losses.distill_dpo_loss,
        1,
        lambda f, scale, reward_gap: (scale * f - reward_gap) ** 2,
        lambda f, scale, reward_gap: (2 * scale * (scale * f - reward_gap),),
        {"scale": 0.4, "reward_gap": uniform(-3, 3)},
    ),
    *[
        Case(
            f"f-dpo-{divergence}",
            losses.f_dpo_loss,
            2,
            f_dpo,
            f_dpo_grad,
            {"scale": 0.4, "divergence": divergence, "alpha": 0.3, "preference": PREFERENCE},
        )
        for divergence in F_PRIME
    ],
    Case("mio", losses.mio_loss, 2, mio, mio_grad),
    Case(
        "simpo",
        losses.simpo_loss,
        2,
        simpo,
        simpo_grad,
        {"scale": 2.0, "target_margin": 0.8, "preference": PREFERENCE, **LENGTHS},
        log_probs=True,
    ),
    Case("cpo", losses.cpo_loss, 2, cpo, cpo_grad, {"scale": 0.2}, log_probs=True),
    Case(
        "cpo-mean",
        losses.cpo_loss,
        2,
        cpo,
        cpo_grad,
        {"scale": 0.2, "likelihood_weight": 0.5, "chosen_lengths": whole(5, 40)},
        log_probs=True,
    ),
    Case(
        "orpo",
        losses.orpo_loss,
        2,
        orpo,
        orpo_grad,
        {"odds_weight": 0.25, **LENGTHS},
        log_probs=True,
    ),
    Case(
        "slic-hf",
        losses.slic_hf_loss,
        2,
        slic,
        slic_grad,
        {"target_margin": 1.5, "likelihood_weight": 0.1},
        log_probs=True,
    ),
    Case(
        "rrhf",
        losses.rrhf_loss,
        2,
        rrhf,
        rrhf_grad,
        {"likelihood_weight": 0.7, **LENGTHS},
        log_probs=True,
    ),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Every loss in turn."""
    found: Case = request.param
    return found


@pytest.fixture
def cases() -> list[Case]:
    """All of them at once."""
    return CASES
