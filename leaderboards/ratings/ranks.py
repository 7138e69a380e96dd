"""Rank ranges and letters: what differences allow to be said of an order, and no more."""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from leaderboards.board import Direction
from mnpo.errors import InvalidSetting

Flags = NDArray[np.bool_]
#: Entries beyond which there are no letters: nobody reads them, and they may be very many.
MOST = 60
#: One character each, so that texts stay unambiguous; where it would take more there are none.
LETTERS = ascii_lowercase + ascii_uppercase


def rank_groups(
    values: Sequence[float], different: Flags, *, better: Direction
) -> tuple[list[tuple[int, int]], list[str]]:
    """Rank ranges and a compact letter display.

    Args:
        values: of N entries.
        different: (N, N) symmetric: whether the difference of two is significant.
        better: which direction is better; "neither" gives no ranks and no letters.

    Returns:
        (best, worst) rank of each: best is 1 + how many are significantly better, worst is N less
        how many are significantly worse. Letters of each, the best entry's first is "a": two
        share a letter exactly if their difference is not significant; all "" beyond `MOST`
        entries, or where it would take more letters than there are (a to z, A to Z).

    Raises:
        InvalidSetting: shapes that do not fit, a value that is no number, or a matrix that is not
            symmetric.
    """
    x, apart = np.asarray(values, dtype=np.float64), np.asarray(different, dtype=bool)
    if x.ndim != 1 or apart.shape != (len(x), len(x)):
        raise InvalidSetting(f"{len(x)} values need as many rows of differences: {apart.shape}")
    if np.isnan(x).any() or not (apart == apart.T).all():
        raise InvalidSetting("ranks need numbers and symmetric comparisons")
    if better == "neither":
        return [], []
    if better == "lower":
        x = -x
    ahead = apart & (x[None, :] > x[:, None])
    best, worst = 1 + ahead.sum(axis=1), len(x) - ahead.sum(axis=0)
    order = np.argsort(-x, kind="stable")
    texts = [""] * len(x)
    if len(x) <= MOST:
        for entry, text in zip(order.tolist(), _letters(apart[order][:, order]), strict=True):
            texts[entry] = text
    return list(zip(best.tolist(), worst.tolist(), strict=True)), texts


def _letters(apart: Flags) -> list[str]:
    """Letters of entries in order, by insertion and absorption (Piepho 2004).

    One letter for all to begin with; for each significant pair, each letter that both have is
    split in two, and letters whose entries another letter has too are dropped. Last, letters that
    nothing hangs on are swept out.
    """
    size = len(apart)
    if not size:
        return []
    columns = [(1 << size) - 1]
    for first in range(size):
        for second in range(first + 1, size):
            if apart[first, second]:
                columns = _split(columns, 1 << first, 1 << second)
                if len(columns) > 8 * len(LETTERS):
                    return [""] * size
    columns = _swept(sorted(columns, key=lambda own: _members(own)), size)
    if len(columns) > len(LETTERS):
        return [""] * size
    return [
        "".join(LETTERS[place] for place, own in enumerate(columns) if own >> entry & 1)
        for entry in range(size)
    ]


def _split(columns: list[int], first: int, second: int) -> list[int]:
    both = first | second
    kept = [own for own in columns if own & both != both]
    split = [own & ~one for own in columns if own & both == both for one in (first, second)]
    # Only what was just made smaller can be part of another.
    for own in sorted(set(split), key=lambda own: -own.bit_count()):
        if not any(own & other == own for other in kept):
            kept.append(own)
    return kept


def _swept(columns: list[int], size: int) -> list[int]:
    """Without the letters whose pairs all share another letter as well; the last go first."""
    count = np.zeros((size, size), dtype=np.intp)
    for own in columns:
        members = _members(own)
        count[np.ix_(members, members)] += 1
    kept = []
    for own in reversed(columns):
        place = np.ix_(_members(own), _members(own))
        if (count[place] > 1).all():
            count[place] -= 1
        else:
            kept.append(own)
    return kept[::-1]


def _members(column: int) -> list[int]:
    return [place for place in range(column.bit_length()) if column >> place & 1]
