"""What a batch of runs is asked to do, the games left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from simulators.dynamics.modes import Mode
from simulators.dynamics.setup import Extras


@dataclass(frozen=True, eq=False)
class Settings:
    """One batch of R runs, everything but the games.

    Attributes:
        algorithm: registry name.
        step_size, temperature: scalars or (R,).
        seeds: R seeds; they drive sampled preferences and network initialisation.
        iterations: T.
        mode: how updates are carried out.
        reference, initial: policies, see `simulate`.
        parameters: the algorithm's further parameters.
        extras: externals, rewards, demonstrations.
    """

    algorithm: str
    step_size: ArrayLike = 0.5
    temperature: ArrayLike = 0.1
    seeds: Sequence[int] = (0,)
    iterations: int = 60
    mode: Mode = field(default_factory=Mode)
    reference: ArrayLike | None = None
    initial: ArrayLike | str | None = None
    parameters: tuple[tuple[str, Any], ...] = ()
    extras: Extras = field(default_factory=Extras)
