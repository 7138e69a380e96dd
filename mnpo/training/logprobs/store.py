"""The log-prob store: what a policy makes of a data set is computed once, then read.

One file for each policy, data set and precision. Its first line is the sha256 of its name and
the rest, so that a file that was cut, altered or mixed up is never used.
"""

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest, write_atomically
from mnpo.training.data.groups import GroupDataset
from mnpo.training.models.policy import PolicyCheckpoint

Array = NDArray[np.float64]
log = logging.getLogger(__name__)

#: Raised when the way log-probs are computed changes, so that older files are not found.
SCORING_VERSION = 1


@dataclass(frozen=True, eq=False)
class SummedLogProbs:
    """log pi(y | x) of every response of a data set.

    Attributes:
        sums: (K,) for each group, nats, summed over the response's tokens.
        lengths: (K,) for each group, tokens of each response.
    """

    sums: tuple[Array, ...]
    lengths: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class LogProbStore:
    """A folder of log-probs, safe for several processes at once.

    Attributes:
        root: the folder; made when it is first written to.
        precision: in which models compute, part of the name of what they computed.
    """

    root: Path
    precision: str = "float32"

    def get(
        self,
        policy: PolicyCheckpoint,
        dataset: GroupDataset,
        compute: Callable[[], Sequence[Array]],
    ) -> SummedLogProbs:
        """The log-probs of a policy on a data set, from the store or computed now.

        Args:
            policy: known by its hash.
            dataset: known by its hash.
            compute: gives (K,) nats for each group, in order; called only when the store has no
                sound file. Another process that asks for the same waits and reads.

        Raises:
            UserError: the computed log-probs are not finite, above zero, or of another number than
                the data set's responses. Nothing is stored then.
            OSError: the folder cannot be written.
        """
        path = self.path(policy, dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            stored = _read(path)
            if stored is not None:
                return stored
            lengths = [[len(r.ids) for r in group.responses] for group in dataset.groups]
            computed = SummedLogProbs(
                sums=tuple(np.asarray(sums, dtype=np.float64) for sums in compute()),
                lengths=tuple(np.array(each, dtype=np.int64) for each in lengths),
            )
            _require_log_probs(computed, policy)
            write_atomically(path, _dump(path.stem, computed))
            return computed

    def path(self, policy: PolicyCheckpoint, dataset: GroupDataset) -> Path:
        """Where the store keeps the log-probs of this policy on this data set."""
        key = digest(
            {
                "policy": policy.sha256,
                "dataset": dataset.sha256,
                "precision": self.precision,
                "version": SCORING_VERSION,
            }
        )
        return self.root / f"{key}.logprobs"


def mix(sums_by_anchor: Sequence[Sequence[Array]], weights: Sequence[float]) -> list[Array]:
    """sum_j weights[j] log pi_j(y) of every response.

    Args:
        sums_by_anchor: for each anchor j, (K,) nats for each group.
        weights: one of each anchor, of any sign.

    Returns:
        (K,) for each group.

    Raises:
        InvalidSetting: a weight is not finite, or there is not one weight an anchor.
        UserError: the anchors were scored on different groups.
    """
    if len(weights) != len(sums_by_anchor) or not weights:
        raise InvalidSetting(
            f"{len(weights)} weights for {len(sums_by_anchor)} anchors; give one each, at least one"
        )
    for j, weight in enumerate(weights):
        if not np.isfinite(weight):
            raise InvalidSetting(f"weight {j} of the anchors is {weight}; it must be finite")
    shapes = [[np.shape(sums) for sums in anchor] for anchor in sums_by_anchor]
    for j, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise UserError(f"anchor {j} was scored on other groups than anchor 0; score it again")
    return [
        np.sum([w * sums for w, sums in zip(weights, group, strict=True)], axis=0)
        for group in zip(*sums_by_anchor, strict=True)
    ]


def _dump(key: str, log_probs: SummedLogProbs) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        counts=np.array([len(sums) for sums in log_probs.sums], dtype=np.int64),
        sums=np.concatenate([np.empty(0), *log_probs.sums]),
        lengths=np.concatenate([np.empty(0, dtype=np.int64), *log_probs.lengths]),
    )
    payload = buffer.getvalue()
    return _seal(key, payload) + b"\n" + payload


def _seal(key: str, payload: bytes) -> bytes:
    """Of the file's name too: a file under another name is no sound one."""
    return hashlib.sha256(key.encode() + payload).hexdigest().encode()


def _read(path: Path) -> SummedLogProbs | None:
    """What the file holds; None where there is none, or none that can be trusted."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    seal, _, payload = content.partition(b"\n")
    if seal != _seal(path.stem, payload):
        log.warning(
            "%s is damaged (its hash does not match); its log-probs are computed anew", path
        )
        return None
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        ends = np.cumsum(arrays["counts"])  # what follows the last one is empty
        return SummedLogProbs(
            sums=tuple(np.split(arrays["sums"], ends)[:-1]),
            lengths=tuple(np.split(arrays["lengths"], ends)[:-1]),
        )


def _require_log_probs(log_probs: SummedLogProbs, policy: PolicyCheckpoint) -> None:
    found, expected = len(log_probs.sums), len(log_probs.lengths)
    if found != expected:
        raise UserError(f"log-probs of {found} groups for a data set of {expected}")
    for b, (sums, lengths) in enumerate(zip(log_probs.sums, log_probs.lengths, strict=True)):
        if sums.shape != lengths.shape:
            raise UserError(
                f"group {b} has {len(lengths)} responses and log-probs of shape {sums.shape}"
            )
        wrong = np.flatnonzero(~np.isfinite(sums) | (sums > 0))
        if len(wrong):
            k = int(wrong[0])
            raise UserError(
                f"the log-prob of response {k} of group {b} under {policy.path} is {sums[k]}, "
                "which no policy can give; check the checkpoint's weights and model.precision"
            )
