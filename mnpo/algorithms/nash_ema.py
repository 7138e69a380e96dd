"""Nash-EMA: mirror descent against a moving average of the own past."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.sources import CURRENT, REFERENCE, MovingAverage
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class NashEMA(Algorithm):
    """INPO's step with the advantage measured against an exponential moving average.

    Attributes:
        decay: weight of the past in the average, ema' = decay ema + (1 - decay) logits, in [0, 1).
    """

    decay: float = 0.9

    slug = "nash-ema"
    card = Card(
        summary="regularised mirror descent against an average of the own past",
        title="Nash Learning from Human Feedback",
        arxiv="2312.00886",
        equations="Nash-EMA",
        badge=Badge.EXACT,
        notes=(
            "The paper averages network parameters; the tabular reading here averages logits, "
            "which is this project's choice."
        ),
    )

    def __post_init__(self) -> None:
        """Check the decay."""
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise InvalidSetting(f"{self.name}: decay must be in [0, 1), got {self.decay:g}")

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """One update anchored like INPO's, against the moving average."""
        alpha = self.step(iteration)
        w = alpha * self.temperature
        return (
            Update(
                anchors=((CURRENT, 1 - w), (REFERENCE, w)),
                opponents=((MovingAverage(self.decay), 1.0),),
                step_size=alpha,
            ),
        )
