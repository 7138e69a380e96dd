"""The description of one loss: formula, source, what it needs, how well it is checked.

Inputs and settings are read off the function's signature, so that they cannot drift from the code.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Badge = Literal["exact against theory", "tested against another implementation", "smoke-tested"]

_NEEDS = {
    "margin": "anchor log-probs",
    "log_ratio": "anchor log-probs",
    "chosen_log_ratio": "anchor log-probs",
    "rejected_log_ratio": "anchor log-probs",
    "chosen_lengths": "lengths",
    "rejected_lengths": "lengths",
    "reward_gap": "rewards",
    "uncertainty_gap": "uncertainties",
    "win_rate": "win rates",
    "win_rate_gap": "win rates",
    "target": "target gaps",
    "desirable": "unpaired labels",
    "z_ref": "reference point",
}


@dataclass(frozen=True)
class Loss:
    """One row of the table.

    Attributes:
        name: the name under which configurations ask for it.
        function: the loss; tensors positionally, everything else by keyword, nothing reduced.
        formula: the loss of one pair or response. f is the log-ratio to the anchor, m = f(y) -
            f(y') the margin, s the logistic function, |y| a length in tokens, p = ``preference``.
        title: the paper's title.
        arxiv: its arXiv number.
        equation: where in the paper.
        translation: the paper's own parameters in ours.
        badge: how far the numbers have been checked.
        notes: where papers contradict each other, and which reading this is.
    """

    name: str
    function: Callable[..., Tensor]
    formula: str
    title: str
    arxiv: str
    equation: str
    translation: str
    badge: Badge
    notes: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that carry the gradient, in order."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return tuple(p.name for p in self._parameters if p.kind is kind)

    @property
    def settings(self) -> dict[str, object]:
        """Keyword arguments and their defaults; ``inspect.Parameter.empty`` where required."""
        kind = inspect.Parameter.KEYWORD_ONLY
        return {p.name: p.default for p in self._parameters if p.kind is kind}

    @property
    def needs(self) -> tuple[str, ...]:
        """What the data must bring besides the policy's own log-probabilities."""
        required = [p for p in self._parameters if p.default is inspect.Parameter.empty]
        return tuple(dict.fromkeys(_NEEDS[p.name] for p in required if p.name in _NEEDS))

    @property
    def pairwise(self) -> bool:
        """Whether the loss is of a pair of responses rather than of one."""
        return self.inputs != ("log_ratio",)

    @property
    def _parameters(self) -> tuple[inspect.Parameter, ...]:
        return tuple(inspect.signature(self.function).parameters.values())
