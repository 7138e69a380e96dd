"""MPO: magnetic preference optimisation, the reference refreshed to the current policy."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, MAGNET
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class MPO(Algorithm):
    """Magnetic mirror descent towards a magnet that jumps to the policy every ``inner`` steps.

    An iteration is one inner step. ``step_size`` is MMD's eta, ``temperature`` the pull of the
    magnet. With ``inner=1`` it is multiplicative weights and spirals outwards.

    Attributes:
        inner: inner steps between two refreshes of the magnet.
    """

    inner: int = 50

    slug = "mpo"
    card = Card(
        summary="mirror descent towards a magnet refreshed every `inner` steps",
        title="Magnetic Preference Optimization: Achieving Last-iterate Convergence for Language "
        "Model Alignment",
        arxiv="2410.16714",
        equations="magnetic mirror descent with a periodically refreshed magnet",
        badge=Badge.EXACT,
        notes="On cyclic games 10 to 100 inner steps work best; 1 and 3 diverge.",
    )
    finds = "nash"

    def __post_init__(self) -> None:
        """Check the period."""
        super().__post_init__()
        if self.inner < 1:
            raise InvalidSetting(f"{self.name}: inner must be at least 1, got {self.inner}")

    @property
    def magnet_period(self) -> int | None:
        """The magnet is refreshed after every ``inner`` iterations."""
        return self.inner

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """MMD's update with the magnet in the reference's place."""
        eta = self.step(iteration)
        w = eta * self.temperature
        return (
            Update(
                anchors=((CURRENT, 1 / (1 + w)), (MAGNET, w / (1 + w))),
                opponents=((CURRENT, 1.0),),
                step_size=eta / (1 + w),
            ),
        )
