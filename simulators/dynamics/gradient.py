"""Gradient and neural modes: descent on the very losses that train language models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnpo.algorithms import Distance
from mnpo.errors import InvalidSetting, NoMinimiser
from mnpo.losses.objective import (
    demonstration_objective,
    preference_objective,
    regression_objective,
)
from simulators.dynamics.loop import Task
from simulators.dynamics.models import PolicyModel
from simulators.dynamics.pairs import PairData, PairSampler, population_pairs
from simulators.dynamics.problem import Ledger, Problem

Array = NDArray[np.float64]
Objective: TypeAlias = Callable[[], Tensor]
LossOfRatio: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Descent:
    """How the loss of one update is descended.

    Attributes:
        optimizer: "lbfgs" (with line search; to the minimiser), "adam", or "sgd" (plain steps).
        steps: gradient steps per update; L-BFGS stops earlier at its tolerance.
        learning_rate: of adam and sgd.
        pair_weights: "sampler": pairs weigh what the pair sampler makes of them. "uniform":
            every pair weighs 1/K^2 and the advantage against the opponents is regressed on, the
            scheme under which one sgd step of size lr on online IPO's loss is INPO with
            w = 4 lr / K.
    """

    optimizer: Literal["lbfgs", "adam", "sgd"] = "lbfgs"
    steps: int = 200
    learning_rate: float = 0.05
    pair_weights: Literal["sampler", "uniform"] = "sampler"

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.optimizer not in ("lbfgs", "adam", "sgd"):
            raise InvalidSetting(f"optimizer must be lbfgs, adam or sgd, got {self.optimizer!r}")
        if self.pair_weights not in ("sampler", "uniform"):
            raise InvalidSetting(
                f"pair_weights must be sampler or uniform, got {self.pair_weights!r}"
            )
        if self.steps < 1:
            raise InvalidSetting(f"gradient steps per update must be at least 1, got {self.steps}")
        if not self.learning_rate > 0:
            raise InvalidSetting(f"learning_rate must be above 0, got {self.learning_rate:g}")


class GradientMinimiser:
    """Descends each update's loss, as a function of a differentiable policy.

    The losses are those of `mnpo.losses`; the anchors and the advantage are constants within an
    update (stop-gradient), as in the algorithms' practice.
    """

    def __init__(
        self,
        problem: Problem,
        models: list[PolicyModel],
        descent: Descent,
        sampler: PairSampler | None = None,
    ) -> None:
        """One model for each player; ``sampler`` replaces the population pairs by sampled ones."""
        self._problem = problem
        self._models = models
        self._descent = descent
        self._sampler = sampler
        self.ledger = Ledger()

    def minimise(self, task: Task) -> Array:
        """The unnormalised next log-policy, (K, B)."""
        if task.implicit:
            raise InvalidSetting(
                "an exact proximal step has no gradient form; set inner to a number of steps"
            )
        model = self._models[task.player]
        model.load(task.current.log)
        loss = self._loss(task)
        anchor = _by_column(task.anchor)

        def objective() -> Tensor:
            log_policy = torch.log_softmax(model.logits(), dim=0)
            return loss(log_policy.T - anchor)

        self._descend(model.parameters(), objective)
        return model.logits().detach().numpy().copy()

    def _descend(self, leaves: list[Tensor], objective: Objective) -> None:
        settings = self._descent
        optimizer: torch.optim.Optimizer
        if settings.optimizer == "lbfgs":
            optimizer = torch.optim.LBFGS(
                leaves,
                max_iter=settings.steps,
                max_eval=settings.steps * 2,
                history_size=50,
                tolerance_grad=1e-14,
                tolerance_change=1e-18,
                line_search_fn="strong_wolfe",
            )
            rounds = 1
        else:
            kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.SGD
            optimizer = kind(leaves, lr=settings.learning_rate)
            rounds = settings.steps

        def closure() -> float:
            optimizer.zero_grad()
            value = objective()
            value.backward()  # type: ignore[no-untyped-call]
            self.ledger.gradient_steps += 1
            return float(value.detach())

        for _ in range(rounds):
            value = optimizer.step(closure)  # type: ignore[no-untyped-call]
        if not np.isfinite(float(value)):
            raise NoMinimiser(
                f"the loss became {float(value)} under {settings.optimizer}; "
                "lower learning_rate or step_size"
            )

    def _loss(self, task: Task) -> LossOfRatio:
        """The update's loss as a function of f = log pi - anchor, (B, K), summed over columns."""
        alpha = torch.as_tensor(np.asarray(task.step_size, dtype=np.float64))
        if task.rewards is not None:
            rewards = _by_column(task.rewards * np.ones_like(task.anchor))
            weights = _pair_weights(task.current.probabilities)
            return lambda f: regression_objective(
                f, step_size=alpha, weights=weights, values=rewards
            ).sum()
        if task.winners is not None:
            (losers,) = task.opponents
            demonstrated = _by_column(np.exp(task.winners))
            own = _by_column(losers.policies.probabilities)
            weights = demonstrated.unsqueeze(-1) * own.unsqueeze(-2)
            return lambda f: demonstration_objective(f, step_size=alpha, weights=weights).sum()
        self.ledger.oracle_rounds += 1
        if self._regresses_on_advantage(task):
            return self._advantage_regression(task, alpha)
        data = self._pairs(task)
        weights, labels = torch.tensor(data.weights), torch.tensor(data.preferences)
        return lambda f: preference_objective(
            f, distance=task.distance, step_size=alpha, weights=weights, preferences=labels
        ).sum()

    def _regresses_on_advantage(self, task: Task) -> bool:
        """Whether the target is the advantage gap itself rather than labels of sampled pairs."""
        if self._descent.pair_weights == "uniform":
            return task.distance is Distance.SQUARED
        return not task.samples_pairs

    def _advantage_regression(self, task: Task, alpha: Tensor) -> LossOfRatio:
        if self._sampler is not None:
            raise InvalidSetting(
                "regression on the advantage (uniform pair weights, optimistic methods) reads "
                "exact win rates; leave out queries (onpo: or set form=two-sequence)"
            )
        advantage = _by_column(self._problem.oracle(task.player).win_rates(task.mixture))
        weights = _pair_weights(task.current.probabilities)
        if self._descent.pair_weights == "uniform":
            weights = torch.full_like(weights, 1 / weights.shape[-1] ** 2)
        return lambda f: regression_objective(
            f, step_size=alpha, weights=weights, values=advantage
        ).sum()

    def _pairs(self, task: Task) -> PairData:
        mixture = task.mixture
        oracle = self._problem.oracle(task.player)
        if self._sampler is None:
            return population_pairs(mixture, oracle.matrices())
        self.ledger.preference_queries += self._sampler.queries
        return self._sampler.sample(mixture, oracle, task.iteration)


def _by_column(values: Array) -> Tensor:
    """(K, B) -> (B, K)."""
    return torch.tensor(np.ascontiguousarray(values.T))


def _pair_weights(policy: Array) -> Tensor:
    """(K, B) -> (B, K, K): both responses drawn from the policy."""
    drawn = _by_column(policy)
    return drawn.unsqueeze(-1) * drawn.unsqueeze(-2)
