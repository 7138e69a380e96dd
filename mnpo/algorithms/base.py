"""What every algorithm value has: its parameters, its paper, and its updates."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Literal

import numpy as np

from mnpo.algorithms.scalars import Scalar, describe
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting


class Badge(StrEnum):
    """How far an algorithm's numbers have been checked."""

    EXACT = "exact against theory"
    PEER = "tested against another implementation"
    SMOKE = "smoke-tested"


@dataclass(frozen=True)
class Card:
    """Where a method comes from and how well it is checked.

    Attributes:
        summary: one line, what the method does.
        title, arxiv: the paper.
        equations: the equations implemented.
        badge: the maturity of the implementation.
        notes: where the paper contradicts itself and which reading is the default.
    """

    summary: str
    title: str
    arxiv: str
    equations: str
    badge: Badge
    notes: str = ""


Target = Literal["regularized", "nash", "other"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Algorithm(ABC):
    """One method of the family, an immutable value that runs at every scale.

    Attributes:
        step_size: alpha, the step on the log-odds per unit of win probability. A float, or an
            array with one value per column of a batch.
        temperature: tau, the KL temperature. A float or an array like ``step_size``.
        schedule: "constant", or "decaying" for alpha_t = min(1/tau, 2/(tau (t + 2))), the
            schedule under which INPO's and Nash-MD's bounds are stated.

    Raises:
        InvalidSetting: for a value outside its range.
    """

    step_size: Scalar = 0.5
    temperature: Scalar = 0.1
    schedule: Literal["constant", "decaying"] = "constant"

    #: The method's registry name.
    slug: ClassVar[str]
    card: ClassVar[Card]
    #: What the method is meant to find: the KL-regularised equilibrium, an unregularised Nash
    #: equilibrium, or something that is no equilibrium of the preference game.
    finds: ClassVar[Target] = "regularized"
    #: Of step_size and temperature, those that this method reads.
    reads: ClassVar[frozenset[str]] = frozenset({"step_size", "temperature"})
    #: Whether player i has preference oracle (annotator) i of its own.
    heterogeneous: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse impossible values, by name."""
        self._require_positive("step_size", allow_zero=False)
        self._require_positive("temperature", allow_zero=True)
        if self.schedule not in ("constant", "decaying"):
            raise InvalidSetting(
                f"{self.name}: schedule must be 'constant' or 'decaying', got {self.schedule!r}"
            )
        if self.schedule == "decaying" and np.any(np.asarray(self.temperature) <= 0):
            raise InvalidSetting(
                f"{self.name}: schedule 'decaying' is 2/(temperature (t + 2)); "
                "it needs a temperature above 0"
            )

    @property
    def name(self) -> str:
        """The registry name of this value, its variant included."""
        return self.slug

    @property
    def target(self) -> Target:
        """What this value is meant to find, see ``finds``; variants may differ."""
        return self.finds

    def __eq__(self, other: object) -> bool:
        """Values of the same method with the same parameters are equal."""
        return (
            isinstance(other, Algorithm)
            and self.name == other.name
            and self._all_parameters() == other._all_parameters()
        )

    def __hash__(self) -> int:
        """Agrees with equality."""
        return hash((self.name, repr(self._all_parameters())))

    def _all_parameters(self) -> dict[str, Any]:
        return {field.name: describe(getattr(self, field.name)) for field in fields(self)}

    @property
    def players(self) -> int | None:
        """Number of distinct policies trained side by side."""
        return 1

    @property
    def magnet_period(self) -> int | None:
        """Iterations between two refreshes of the magnet; None when there is no magnet."""
        return None

    def step(self, iteration: int) -> Scalar:
        """alpha_t at iteration t = 0, 1, ...; see ``schedule``."""
        if self.schedule == "constant":
            return self.step_size
        tau = self.temperature
        return np.minimum(1.0 / tau, 2.0 / (tau * (iteration + 2.0)))

    @abstractmethod
    def updates(self, iteration: int) -> tuple[Update, ...]:
        """The updates of iteration t, in order; the last one yields the next policy."""

    def parameters(self) -> dict[str, Any]:
        """All parameters as JSON-ready values, those the method does not read left out."""
        unread = {"step_size", "temperature"} - self.reads
        if "step_size" in unread:
            unread.add("schedule")
        return {
            field.name: describe(getattr(self, field.name))
            for field in fields(self)
            if field.name not in unread
        }

    def _require_positive(self, field: str, *, allow_zero: bool) -> None:
        value = np.asarray(getattr(self, field), dtype=float)
        bad = ~np.isfinite(value) | ((value < 0) if allow_zero else (value <= 0))
        if bad.any():
            bound = "at least 0" if allow_zero else "above 0"
            first = float(value[bad].flat[0]) if value.ndim else float(value)
            raise InvalidSetting(f"{self.name}: {field} must be {bound} and finite, got {first:g}")

    def _require_choice(self, field: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, field)
        if value not in choices:
            raise InvalidSetting(
                f"{self.slug}: {field} must be one of {', '.join(choices)}, got {value!r}"
            )
