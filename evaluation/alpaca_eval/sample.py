"""What is scored of one model: preferences and lengths by instruction, and what is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.alpaca_eval.reading import Annotations, Outputs
from evaluation.alpaca_eval.reference import Reference
from evaluation.gaps import Gap, require_whole
from evaluation.statistics import Array
from mnpo.errors import UserError

#: Indices that a message shows.
EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """One model's rows, in the official order.

    Attributes:
        model: its name.
        index: (n,) instruction of each row.
        preference: (n,) in [1, 2], NaN where the judge gave none.
        lengths: (n, 2) characters of the baseline's answer and the model's; None where the
            model's answers are not known.
        expected: instructions that should be there.
        average_length: of all answers of the model, judged or not; None where not known.
        flags: warnings about the rows.
        unanswered: instructions with a preference whose output the files do not have; they are
            left out of everything, so that all figures are of the same rows.
        replay: the rows are those of a finished official run, which counted them by position
            (see `Annotations.numbered`): its figure is wanted, whatever is absent.
    """

    model: str
    index: NDArray[np.int64]
    preference: Array
    lengths: NDArray[np.int64] | None
    expected: int
    average_length: float | None = None
    flags: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    unanswered: tuple[int, ...] = ()
    replay: bool = False

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(n,) rows with a preference."""
        return np.asarray(~np.isnan(self.preference))

    @property
    def shifted(self) -> bool:
        """Whether a row's position is not its instruction's: an earlier one is absent."""
        return bool((self.index != np.arange(len(self.index))).any())

    @property
    def scored(self) -> int:
        """Rows with a preference."""
        return int(self.judged.sum())

    @property
    def missing(self) -> int:
        """Instructions without a preference, whatever the reason."""
        return self.expected - self.scored

    def flagged(self, flags: Sequence[str]) -> "Sample":
        """The same with further warnings."""
        return replace(self, flags=(*self.flags, *flags))


def stored_sample(
    annotations: Annotations, outputs: Outputs | None, reference: Reference
) -> Sample:
    """Rows of files; judged rows that the outputs lack are left out, and noted.

    Raises:
        UserError: the outputs are not those that were judged.
    """
    texts: Mapping[int, str] = annotations.outputs
    flags: list[str] = []
    lacking: list[int] = []
    if outputs is not None:
        other = [k for k, text in annotations.outputs.items() if outputs.texts.get(k, text) != text]
        if other:
            raise UserError(
                f"{outputs.path}: {len(other)} outputs are not those that {annotations.path} "
                f"judged: {shown(other)}"
            )
        texts = {**annotations.outputs, **outputs.texts}
        lacking = [k for k in annotations.preferences if k not in texts]
    if lacking:
        flags.append(
            f"no output for {len(lacking)} of the judged instructions ({shown(sorted(lacking))}): "
            "left out of all figures"
        )
    index = np.array(sorted(annotations.preferences.keys() - set(lacking)), dtype=np.int64)
    lengths = None
    if all(int(k) in texts for k in index):
        pairs = [(len(reference.by_index[int(k)].baseline), len(texts[int(k)])) for k in index]
        lengths = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if not annotations.in_order:
        flags.append(
            "rows are in another order than the official one, and were matched by text "
            "or index; the package itself would mistake them"
        )
    return Sample(
        annotations.model,
        index,
        np.array([annotations.preferences[int(k)] for k in index]),
        lengths,
        len(reference.prompts),
        math.fsum(map(len, texts.values())) / len(texts) if lengths is not None and texts else None,
        tuple(flags),
        unanswered=tuple(sorted(lacking)),
        replay=annotations.numbered and not lacking,
    )


def require_complete(samples: Sequence[Sample], reference: Reference, allow_missing: bool) -> None:
    """Refuse missing rows, unless they are allowed.

    Raises:
        UserError: rows or preferences are missing: of which model, how many, which; or a model
            has no preference at all.
    """
    gaps = []
    for own in samples:
        if not own.scored:
            raise UserError(
                f"{own.model}: not one preference"
                + (" with an output" if own.unanswered else "")
                + ", nothing can be scored"
            )
        here = {int(k) for k in own.index} | set(own.unanswered)
        absent = sorted({p.index for p in reference.prompts} - here)
        empty = [int(k) for k in own.index[~own.judged]]
        missing = {
            "no row": [f"instruction {k}" for k in absent],
            "judged, but its output is not there": [f"instruction {k}" for k in own.unanswered],
            "no preference, or NaN": [f"instruction {k}" for k in empty],
        }
        gaps.append(Gap(own.model, "annotations", missing, own.expected))
    require_whole(gaps, allow_missing)


def shown(numbers: Sequence[int]) -> str:
    """The first few of many."""
    return ", ".join(map(str, numbers[:EXAMPLES])) + (", ..." if len(numbers) > EXAMPLES else "")
