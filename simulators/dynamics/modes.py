"""The four modes and their settings."""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from mnpo.algorithms.kinds import describe_kind, is_of_kind
from mnpo.errors import InvalidSetting, suggest

ModeName: TypeAlias = Literal["exact", "gradient", "sampled", "neural"]
MODES: tuple[ModeName, ...] = ("exact", "gradient", "sampled", "neural")


@dataclass(frozen=True)
class Mode:
    """How updates are carried out.

    Attributes:
        name: "exact": closed-form population minimiser. "gradient": descent on the loss of a
            tabular softmax policy. "sampled": the loss on finitely many noisy, counted
            preference queries, minimised exactly. "neural": descent on the loss of a small
            network over the contexts' features.
        queries: preference queries per update, context and player. Sampled mode asks 100 unless
            told otherwise; gradient and neural read exact win rates unless it is set.
        label_noise: probability in [0, 1/2) that an answer is flipped. In modes that read exact
            win rates the matrix becomes (1 - 2 eps) P + eps.
        annotator_sampling: "each": every question goes to a random annotator (the mean matrix).
            "iteration": one random annotator answers all of an iteration's questions.
        ridge: strength of the Gaussian prior on the scores of a sampled logistic fit.
        optimizer, gradient_steps, learning_rate, pair_weights: see
            `simulators.dynamics.gradient.Descent`; None takes the mode's own default.
        hidden: width of the network's hidden layer.
    """

    name: ModeName = "exact"
    queries: int | None = None
    label_noise: float = 0.0
    annotator_sampling: Literal["each", "iteration"] = "each"
    ridge: float = 1.0
    optimizer: Literal["lbfgs", "adam", "sgd"] | None = None
    gradient_steps: int | None = None
    learning_rate: float | None = None
    pair_weights: Literal["sampler", "uniform"] = "sampler"
    hidden: int = 32

    def __post_init__(self) -> None:
        """Refuse impossible values, and settings that the mode would ignore."""
        if self.name not in MODES:
            raise InvalidSetting(f"unknown mode '{self.name}'{suggest(str(self.name), MODES)}")
        for item in fields(self):
            value = getattr(self, item.name)
            if not is_of_kind(value, item.type):
                raise InvalidSetting(
                    f"{item.name} must be {describe_kind(item.type)}, got {value!r}"
                )
        if self.queries is not None and self.queries < 1:
            raise InvalidSetting(f"queries must be at least 1, got {self.queries}")
        if not 0 <= self.label_noise < 0.5:
            raise InvalidSetting(f"label_noise must be in [0, 0.5), got {self.label_noise:g}")
        if self.annotator_sampling not in ("each", "iteration"):
            raise InvalidSetting(
                f"annotator_sampling must be each or iteration, got {self.annotator_sampling!r}"
            )
        if self.optimizer not in (None, "lbfgs", "adam", "sgd"):
            raise InvalidSetting(f"optimizer must be lbfgs, adam or sgd, got {self.optimizer!r}")
        if not self.ridge > 0:
            raise InvalidSetting(f"ridge must be above 0, got {self.ridge:g}")
        if self.hidden < 1:
            raise InvalidSetting(f"hidden must be at least 1, got {self.hidden}")
        for item in fields(self):
            readers = _READ_BY.get(item.name, MODES)
            if self.name not in readers and getattr(self, item.name) != item.default:
                raise InvalidSetting(
                    f"{item.name} is not read in mode {self.name} (only in {', '.join(readers)})"
                )
        if self.annotator_sampling == "iteration" and not self.samples:
            raise InvalidSetting("annotator_sampling=iteration needs queries to be sampled")

    @property
    def samples(self) -> bool:
        """Whether preferences are asked one by one."""
        return self.name == "sampled" or self.queries is not None

    @property
    def queries_per_update(self) -> int:
        """Preference queries of one update; 0 where exact win rates are read."""
        if self.queries is not None:
            return self.queries
        return 100 if self.name == "sampled" else 0

    def descent_settings(self) -> dict[str, Any]:
        """Keyword arguments of `Descent`, the mode's defaults filled in."""
        neural = self.name == "neural"
        optimizer = self.optimizer or ("adam" if neural else "lbfgs")
        steps = {"lbfgs": 200, "adam": 100, "sgd": 100}[optimizer]
        rate = {"lbfgs": 1.0, "adam": 0.01 if neural else 0.05, "sgd": 0.1}[optimizer]
        return {
            "optimizer": optimizer,
            "steps": self.gradient_steps if self.gradient_steps is not None else steps,
            "learning_rate": self.learning_rate if self.learning_rate is not None else rate,
            "pair_weights": self.pair_weights,
        }


_READ_BY: dict[str, tuple[ModeName, ...]] = {
    "queries": ("gradient", "sampled", "neural"),
    "annotator_sampling": ("gradient", "sampled", "neural"),
    "ridge": ("sampled",),
    "optimizer": ("gradient", "neural"),
    "gradient_steps": ("gradient", "neural"),
    "learning_rate": ("gradient", "neural"),
    "pair_weights": ("gradient", "neural"),
    "hidden": ("neural",),
}
