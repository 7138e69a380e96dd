"""SPIN: self-play fine-tuning towards demonstrations."""

from dataclasses import dataclass

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.scalars import Scalar
from mnpo.algorithms.sources import CURRENT, DEMONSTRATIONS
from mnpo.algorithms.update import Distance, Update
from mnpo.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True, eq=False)
class SPIN(Algorithm):
    """Tell demonstrations from own samples: log pi' = (1 - 1/beta) log pi + (1/beta) log p_data.

    No preference is asked: the winner comes from the data. The exact population minimiser of the
    logistic loss; a contraction towards the data for beta > 1/2.

    Attributes:
        beta: the paper's lambda, the scale of the log-ratio in the loss.
    """

    beta: Scalar = 1.0

    slug = "spin"
    card = Card(
        summary="self-play imitation of demonstrations; asks no preference",
        title="Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models",
        arxiv="2401.01335",
        equations="Eq. 4.7 (logistic loss)",
        badge=Badge.EXACT,
        notes="Its row in MNPO's Table 1 is formal only: no preference matrix enters.",
    )
    finds = "other"
    reads = frozenset()

    def __post_init__(self) -> None:
        """Check beta."""
        super().__post_init__()
        self._require_positive("beta", allow_zero=False)

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """Winners from the demonstrations, losers from the current policy."""
        if self.schedule != "constant":
            raise InvalidSetting(f"{self.name}: there is no step size to schedule")
        return (
            Update(
                anchors=((CURRENT, 1.0),),
                opponents=((CURRENT, 1.0),),
                step_size=1 / self.beta,
                distance=Distance.LOGISTIC,
                winners=DEMONSTRATIONS,
            ),
        )
