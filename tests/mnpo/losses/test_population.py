"""What the losses find: population minimisers on small games.

The expected loss over pairs of a game is minimised over a free log-ratio vector by Newton's
method on autograd derivatives, and compared with the closed forms of the theory.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnpo import losses

Loss = Callable[[torch.Tensor], torch.Tensor]


def random_game(size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A preference matrix and a distribution of full support."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(0.02, 0.98, size=(size, size)), 1)
    matrix = upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(size)
    weights = rng.uniform(0.05, 1.0, size=size)
    return torch.tensor(matrix), torch.tensor(weights / weights.sum())


def expected_pair_loss(pairs: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor]) -> Loss:
    """Mean of a pair loss of the margins of f over the pair distribution."""
    return lambda f: (pairs * loss(losses.margin(f[:, None], f[None, :]))).sum()


def minimise(objective: Loss, size: int, steps: int = 30) -> torch.Tensor:
    """Newton's method from 0; f has mean zero, the direction the loss does not see."""
    f = torch.zeros(size, dtype=torch.float64)
    for _ in range(steps):
        gradient = torch.func.grad(objective)(f)
        hessian = torch.autograd.functional.hessian(objective, f)
        f = f - torch.linalg.lstsq(hessian, gradient[:, None], driver="gelsd").solution[:, 0]
    assert torch.func.grad(objective)(f).abs().max() < 1e-12
    return f - f.mean()


def centred(x: torch.Tensor) -> torch.Tensor:
    return x - x.mean()


@given(st.integers(2, 6), st.integers(0, 10**6), st.floats(0.05, 20.0))
@settings(max_examples=20)
def test_squared_loss_steps_by_alpha_times_the_advantage(
    size: int, seed: int, alpha: float
) -> None:
    matrix, mu = random_game(size, seed)
    objective = expected_pair_loss(
        torch.outer(mu, mu),
        lambda m: losses.squared_pair_loss(m, step_size=alpha, preference=matrix),
    )
    found = minimise(objective, size, steps=2)
    torch.testing.assert_close(found, centred(alpha * matrix @ mu), rtol=1e-9, atol=1e-10 * alpha)


def test_other_pair_weights_do_not_give_the_advantage() -> None:
    """The lemma needs product weights: graph least squares otherwise."""
    matrix, mu = random_game(4, 7)
    weights = torch.rand(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    objective = expected_pair_loss(
        weights, lambda m: losses.squared_pair_loss(m, step_size=1.0, preference=matrix)
    )
    found = minimise(objective, 4, steps=2)
    both = weights + weights.T
    laplacian = torch.diag(both.sum(1)) - both
    wanted = torch.linalg.lstsq(
        laplacian, (both * (matrix - 0.5)).sum(1)[:, None], driver="gelsd"
    ).solution[:, 0]
    torch.testing.assert_close(found, centred(wanted), rtol=1e-9, atol=1e-10)
    assert (found - centred(matrix @ mu)).abs().max() > 1e-2


def test_soft_target_equals_labels_up_to_a_constant() -> None:
    """MNPO's Eq. 14 and 15 differ by c^2 - 2 eta^2 Var(P mu), when c = eta/2 (Proposition 1)."""
    matrix, mu = random_game(5, 3)
    eta, advantage = 0.7, matrix @ mu
    pairs = torch.outer(mu, mu)
    gaps = eta * losses.margin(advantage[:, None], advantage[None, :])
    labelled = expected_pair_loss(
        pairs, lambda m: losses.squared_pair_loss(m, step_size=eta, preference=matrix)
    )
    regressed = expected_pair_loss(pairs, lambda m: losses.squared_target_loss(m, target=gaps))
    literal = expected_pair_loss(
        pairs, lambda m: losses.squared_pair_loss(m, step_size=1 / eta, preference=matrix)
    )
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(20, 5, dtype=torch.float64, generator=generator)
    differences = torch.stack([labelled(f) - regressed(f) for f in points])
    variance = (mu * (advantage - mu @ advantage) ** 2).sum()
    wanted = (eta / 2) ** 2 - 2 * eta**2 * variance
    torch.testing.assert_close(differences, wanted.expand(20), rtol=1e-10, atol=1e-10)
    spread = torch.stack([literal(f) - regressed(f) for f in points])
    assert spread.max() - spread.min() > 0.1  # the target 1/(2 eta) is another objective
    torch.testing.assert_close(
        minimise(literal, 5, steps=2), centred(advantage / eta), rtol=1e-9, atol=1e-10
    )


@given(st.integers(2, 5), st.integers(0, 10**6), st.floats(0.1, 5.0))
@settings(max_examples=15)
def test_soft_labels_make_dno_multiplicative_weights(size: int, seed: int, eta: float) -> None:
    matrix, mu = random_game(size, seed)
    rates = matrix @ mu
    weights = torch.rand(
        size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    gap = losses.margin(rates[:, None], rates[None, :])
    objective = expected_pair_loss(
        weights, lambda m: losses.dno_loss(m, scale=eta, win_rate_gap=gap)
    )
    stationary = torch.func.grad(objective)(rates / eta)
    assert stationary.abs().max() < 1e-13
    hard = expected_pair_loss(
        weights, lambda m: losses.logistic_pair_loss(m, scale=eta, preference=matrix)
    )
    assert torch.func.grad(hard)(rates / eta).abs().max() > 1e-4


def test_dpo_on_bradley_terry_labels_finds_the_utilities_for_any_pairs() -> None:
    utilities = torch.tensor([0.0, 0.5, 1.5, -0.7], dtype=torch.float64)
    matrix = torch.sigmoid(utilities[:, None] - utilities[None, :])
    weights = torch.rand(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    objective = expected_pair_loss(
        weights, lambda m: losses.logistic_pair_loss(m, scale=0.4, preference=matrix)
    )
    torch.testing.assert_close(minimise(objective, 4), centred(utilities / 0.4))


def test_length_and_uncertainty_penalties_come_back_out_of_the_optimum() -> None:
    """The signs of R-DPO and GSHF: the optimum for r - penalty fits labels drawn from r."""
    reward = torch.tensor([0.3, -0.4, 1.0], dtype=torch.float64)
    lengths = torch.tensor([10, 25, 40])
    matrix = torch.sigmoid(reward[:, None] - reward[None, :])
    beta, alpha = 0.4, 0.05
    optimum = (reward - alpha * lengths) / beta
    uniform = torch.full((3, 3), 1 / 9, dtype=torch.float64)
    r_dpo = expected_pair_loss(
        uniform,
        lambda m: losses.r_dpo_loss(
            m,
            scale=beta,
            length_penalty=alpha,
            chosen_lengths=lengths[:, None],
            rejected_lengths=lengths[None, :],
            preference=matrix,
        ),
    )
    assert torch.func.grad(r_dpo)(optimum).abs().max() < 1e-14
    gaps = alpha * (lengths[:, None] - lengths[None, :])
    gshf = expected_pair_loss(
        uniform,
        lambda m: losses.gshf_loss(m, scale=beta, uncertainty_gap=gaps, preference=matrix),
    )
    assert torch.func.grad(gshf)(optimum).abs().max() < 1e-14


def test_f_dpo_optimum_maximises_reward_less_the_divergence() -> None:
    """E_pi[r] - beta D_f(pi || ref) is stationary on the simplex where f-DPO's labels fit."""
    ref = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    policy = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    beta, alpha = 0.4, 0.3
    generators = {
        "reverse-kl": lambda u: u * u.log(),
        "forward-kl": lambda u: -u.log(),
        "jensen-shannon": lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
        "alpha": lambda u: (u ** (1 - alpha) - (1 - alpha) * u - alpha) / (alpha * (alpha - 1)),
    }
    for divergence, generator in generators.items():
        f = policy.log() - ref.log()
        reward = beta * losses.f_divergence_score(f, divergence=divergence, alpha=alpha)  # type: ignore[arg-type]

        def objective(
            x: torch.Tensor,
            reward: torch.Tensor = reward,
            generator: Callable[[torch.Tensor], torch.Tensor] = generator,
        ) -> torch.Tensor:
            pi = torch.softmax(x, -1)
            return (pi * reward).sum() - beta * (ref * generator(pi / ref)).sum()

        assert torch.func.grad(objective)(policy.log()).abs().max() < 1e-15, divergence


def test_distillation_finds_the_regularised_optimum() -> None:
    reward = torch.tensor([0.3, -0.4, 1.0], dtype=torch.float64)
    gap = reward[:, None] - reward[None, :]
    weights = torch.tensor([[0, 1, 0], [0, 0, 2], [0, 0, 0]], dtype=torch.float64)
    objective = expected_pair_loss(
        weights, lambda m: losses.distill_dpo_loss(m, scale=0.4, reward_gap=gap)
    )
    torch.testing.assert_close(minimise(objective, 3, steps=2), centred(reward / 0.4))


def test_spin_moves_towards_the_data() -> None:
    data = torch.tensor([0.25, 0.25, 0.5], dtype=torch.float64)
    policy = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    objective = expected_pair_loss(
        torch.outer(data, policy), lambda m: losses.spin_loss(m, scale=0.8)
    )
    torch.testing.assert_close(minimise(objective, 3), centred((data.log() - policy.log()) / 0.8))


def test_a_pointwise_target_on_a_pair_takes_half_the_step() -> None:
    """MNPO's Table 1 puts SPPO's target eta (P(y > mu) - 1/2) on the pair's margin."""
    matrix, mu = random_game(4, 11)
    advantage = matrix @ mu
    eta, pairs = 0.9, torch.outer(mu, mu)
    literal = expected_pair_loss(
        pairs,
        lambda m: losses.squared_target_loss(m, target=eta * (advantage - 0.5)[:, None]),
    )
    torch.testing.assert_close(
        minimise(literal, 4, steps=2), centred(eta / 2 * advantage), rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize(
    ("step_size", "low", "high"), [(0.1, 1e-9, 1e-6), (1.0, 1e-6, 1e-3), (5.0, 1e-3, 5e-2)]
)
def test_sppo_practical_is_near_multiplicative_weights_and_exact_with_log_z(
    step_size: float, low: float, high: float
) -> None:
    matrix = torch.tensor([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]).double()
    start = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    rates = matrix @ start
    partition = (start * torch.exp(step_size * rates)).sum().log()
    exact = torch.softmax(start.log() + step_size * rates, -1)

    def objective(x: torch.Tensor, log_partition: torch.Tensor | None) -> torch.Tensor:
        ratio = losses.log_ratio(torch.log_softmax(x, -1), start.log())
        loss = losses.sppo_pointwise_loss(
            ratio, step_size=step_size, win_rate=rates, log_partition=log_partition
        )
        return (start * loss).sum()

    assert objective(exact.log(), partition) < 1e-28
    x = exact.log()
    for _ in range(30):
        gradient = torch.func.grad(objective)(x, None)
        hessian = torch.autograd.functional.hessian(lambda x: objective(x, None), x)
        x = x - torch.linalg.lstsq(hessian, gradient[:, None], driver="gelsd").solution[:, 0]
    assert low < (torch.softmax(x, -1) - exact).abs().max() < high


def test_table_9s_onpo_is_a_plain_double_step() -> None:
    """Anchoring the intermediate on pi_t, as printed, loses the optimism: pi_t e^{2 eta P pi_t}."""
    matrix, mu = random_game(3, 5)
    eta = 0.6

    def step(anchor: torch.Tensor) -> torch.Tensor:
        objective = expected_pair_loss(
            torch.outer(mu, mu),
            lambda m: losses.squared_pair_loss(m, step_size=eta, preference=matrix),
        )
        return torch.softmax(anchor.log() + minimise(objective, 3, steps=2), -1)

    found = step(step(mu))
    torch.testing.assert_close(found, torch.softmax(mu.log() + 2 * eta * matrix @ mu, -1))


def test_table_9s_kto_sign_raises_the_undesirable_response() -> None:
    ratio = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    losses.kto_loss(ratio, desirable=0.0, scale=1.0, z_ref=0.0).sum().backward()
    assert ratio.grad is not None
    assert ratio.grad.item() == pytest.approx(0.25)
    printed = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(0.0 - printed).sum().backward()
    assert printed.grad is not None
    assert printed.grad.item() == pytest.approx(-0.25)
