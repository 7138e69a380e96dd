"""Differentiable policies for the gradient and neural modes."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


class PolicyModel(Protocol):
    """A batch of differentiable policies over K actions."""

    def parameters(self) -> list[Tensor]:
        """The leaves an optimiser may move."""
        ...

    def logits(self) -> Tensor:
        """(K, B) unnormalised log-probabilities."""
        ...

    def load(self, log_policy: Array) -> None:
        """Start from (K, B) log-probabilities, where the model can represent them."""
        ...


class TabularModel:
    """One free logit an action and column."""

    def __init__(self, log_policy: Array) -> None:
        """Start from (K, B) log-probabilities."""
        self._logits = torch.tensor(log_policy, dtype=torch.float64, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        """The logits themselves."""
        return [self._logits]

    def logits(self) -> Tensor:
        """(K, B)."""
        return self._logits

    def load(self, log_policy: Array) -> None:
        """Overwrite the logits."""
        with torch.no_grad():
            self._logits.copy_(torch.as_tensor(log_policy))


class MLPModel:
    """Independent two-layer networks, one a group, from context features to a log-ratio.

    Columns are (group, context) pairs, contexts fastest: column g * C + c is group g's policy in
    context c. The output layer starts at zero, so that every network starts exactly at the
    initial policy, which it adds as a fixed bias.
    """

    def __init__(
        self, log_initial: Array, features: Array, groups: int, *, hidden: int, seeds: list[int]
    ) -> None:
        """Build ``groups`` networks.

        Args:
            log_initial: (K, groups * C) the initial policies.
            features: (C, d) context features.
            groups: number of independent networks.
            hidden: width of the hidden layer.
            seeds: one seed a group, for its input layer.
        """
        contexts, width = features.shape
        actions = log_initial.shape[0]
        self._bias = torch.tensor(log_initial, dtype=torch.float64)
        self._features = torch.tensor(features, dtype=torch.float64).expand(groups, contexts, width)
        streams = [np.random.default_rng([seed, 3]) for seed in seeds]
        first = np.stack([s.normal(size=(width, hidden)) / np.sqrt(width) for s in streams])
        shift = np.stack([s.uniform(-1, 1, size=(1, hidden)) for s in streams])
        self._leaves = [
            torch.tensor(first, requires_grad=True),
            torch.tensor(shift, requires_grad=True),
            torch.zeros(groups, hidden, actions, dtype=torch.float64, requires_grad=True),
            torch.zeros(groups, 1, actions, dtype=torch.float64, requires_grad=True),
        ]

    def parameters(self) -> list[Tensor]:
        """Weights and biases of both layers, groups on the leading axis."""
        return self._leaves

    def logits(self) -> Tensor:
        """(K, groups * C)."""
        first, shift, second, bias = self._leaves
        hidden = torch.tanh(torch.baddbmm(shift, self._features, first))
        output = torch.baddbmm(bias, hidden, second)
        return output.reshape(-1, output.shape[-1]).T + self._bias

    def load(self, log_policy: Array) -> None:
        """A network carries its own weights on; a table of policies does not overwrite it."""
