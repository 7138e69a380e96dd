"""Which cross-validation fold a row falls into: what old GroupKFold did with ties.

GroupKFold deals groups to folds in decreasing order of their size, each to the emptiest fold. In
the length-controlled metric every group is one comparison in two copies, so all sizes tie, and the
deal is fold = (position from the end of ``argsort(sizes)``) mod n_splits: how argsort happens to
order ties decides the folds, the folds decide the regularisation strength C, and C moves the
figure by up to 0.1 points. scikit-learn below 1.9 asked numpy for its default, unstable argsort,
whose answer depends on numpy's version and on the processor; 1.9 and later sort stably.

Here each of those orders is computed by its own rule, on every processor the same:

* ``avx512``: numpy 1.25 to 2.2 on a processor with AVX-512 partitions once around the tied value
  (x86-simd-sort): every vector of 8 goes to the right-hand store, in the order of reading.
* ``introsort``: numpy before 1.25, and later ones where there is no vectorised argsort:
  median-of-three quicksort, insertion sort at 16 entries or fewer.
* ``stable``: scikit-learn 1.9 and later.

The published figures follow ``avx512`` (docs/decisions/010-official-folds.md says how that is
known).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Order: TypeAlias = Literal["avx512", "introsort", "stable"]
Indices: TypeAlias = NDArray[np.intp]

#: What the leaderboard's figures were made with.
OFFICIAL: Order = "avx512"

#: Entries in a 512-bit vector of 64-bit integers.
LANES = 8
#: Vectors that the unrolled partition reads at once.
UNROLLED = 4
#: Up to here numpy 1.25's vectorised argsort is a sorting network, which leaves ties alone.
NETWORK = 64
#: Up to here introsort's pieces are sorted by insertion, which leaves ties alone.
INSERTION = 16


def avx512_order(size: int) -> Indices:
    """(size,) numpy's vectorised argsort of ``size`` equal numbers.

    As numpy 1.25 and 1.26 have it; 2.0 to 2.2 leave up to 256 entries as they are and agree above
    (the metric never has fewer than the 1,610 rows of its regulariser).
    """
    order = list(range(size))
    if size <= NETWORK:
        return np.array(order, dtype=np.intp)
    block = LANES * (UNROLLED if size > 2 * UNROLLED * UNROLLED * LANES else 1)
    right = size
    for _ in range(size % block):  # makes the rest a whole number of blocks
        right -= 1
        order[0], order[right] = order[right], order[0]
    left, store = block, right
    first, last = order[:block], order[right - block : right]
    right -= block

    def put(entries: list[int]) -> None:
        nonlocal store
        for start in range(0, block, LANES):
            store -= LANES
            order[store : store + LANES] = entries[start : start + LANES]

    while left != right:
        # Reads from the side with less free room; on the left nothing is ever stored.
        if store - right < left:
            right -= block
            put(order[right : right + block])
        else:
            left += block
            put(order[left - block : left])
    put(first)
    put(last)
    return np.array(order, dtype=np.intp)


def introsort_order(size: int) -> Indices:
    """(size,) numpy's scalar argsort of ``size`` equal numbers: both scans stop at every tie."""
    order = list(range(size))
    waiting = [(0, size - 1)]
    while waiting:
        low, high = waiting.pop()
        while high - low >= INSERTION:
            middle = low + (high - low) // 2
            up, down = low, high - 1
            order[middle], order[down] = order[down], order[middle]
            while True:
                up, down = up + 1, down - 1
                if up >= down:
                    break
                order[up], order[down] = order[down], order[up]
            order[up], order[high - 1] = order[high - 1], order[up]
            if up - low < high - up:
                waiting.append((up + 1, high))
                high = up - 1
            else:
                waiting.append((low, up - 1))
                low = up + 1
    return np.array(order, dtype=np.intp)


def stable_order(size: int) -> Indices:
    """(size,) a stable sort leaves ties as they are."""
    return np.arange(size, dtype=np.intp)


ORDERS: Mapping[Order, Callable[[int], Indices]] = {
    "avx512": avx512_order,
    "introsort": introsort_order,
    "stable": stable_order,
}


def folds(groups: int, splits: int, order: Order = OFFICIAL) -> Indices:
    """(groups,) the fold of each of ``groups`` groups of equal size."""
    found = np.empty(groups, dtype=np.intp)
    found[ORDERS[order](groups)[::-1]] = np.arange(groups) % splits
    return found


def split_tied(
    groups: NDArray[Any], splits: int, order: Order = OFFICIAL
) -> Iterator[tuple[Indices, Indices]]:
    """Training and test rows of each fold, for rows whose groups are all of one size.

    Args:
        groups: (n,) what each row belongs to.
        splits: number of folds.
        order: of ties.

    Raises:
        ValueError: groups of different sizes, or fewer than ``splits``.
    """
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < splits:
        raise ValueError(f"{len(sizes)} groups cannot make {splits} folds")
    if (sizes != sizes[0]).any():
        raise ValueError("groups differ in size: only ties are dealt with here")
    own = folds(len(sizes), splits, order)[member]
    for k in range(splits):
        yield np.flatnonzero(own != k), np.flatnonzero(own == k)
