"""COMAL: a convergent meta-algorithm (proximal point with regularised games)."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, MAGNET, SOLUTION
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class COMAL(Algorithm):
    """Solve the regularised game, make its equilibrium the new reference, repeat.

    Attributes:
        inner: None solves each regularised game exactly, one outer step an iteration, and reads
            no ``step_size``. A number runs that many INPO steps towards a frozen reference
            before refreshing it; an iteration then is one inner step.
    """

    inner: int | None = None

    slug = "comal"
    card = Card(
        summary="proximal point: each step solves a KL-regularised game around the last policy",
        title="COMAL: A Convergent Meta-Algorithm for Aligning LLMs with General Preferences",
        arxiv="2410.23223",
        equations="Alg. 1, Theorem 2",
        badge=Badge.EXACT,
    )
    finds = "nash"

    def __post_init__(self) -> None:
        """Check the period and the temperature."""
        super().__post_init__()
        self._require_positive("temperature", allow_zero=False)
        if self.inner is not None and self.inner < 1:
            raise InvalidSetting(f"{self.name}: inner must be at least 1, got {self.inner}")

    @property
    def magnet_period(self) -> int | None:
        """None for the exact form, whose reference is the current policy itself."""
        return self.inner

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """The implicit proximal step, or one INPO step towards the magnet."""
        if self.inner is None:
            return (
                Update(
                    anchors=((CURRENT, 1.0),),
                    opponents=((SOLUTION, 1.0),),
                    step_size=1 / self.temperature,
                ),
            )
        alpha = self.step(iteration)
        w = alpha * self.temperature
        return (
            Update(
                anchors=((CURRENT, 1 - w), (MAGNET, w)),
                opponents=((CURRENT, 1.0),),
                step_size=alpha,
            ),
        )
