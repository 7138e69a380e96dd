"""Cohen's kappa, and the recoding with which LLMBar's own script computes it."""

from collections import Counter
from collections.abc import Hashable, Sequence

from mnpo.errors import InvalidSetting


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """(observed - expected) / (1 - expected) agreement of two raters (Cohen 1960).

    Args:
        first: (n,) labels by one rater.
        second: (n,) by the other, of the same items.

    Returns:
        None where agreement is certain by chance alone: both give one and the same label always.

    Raises:
        InvalidSetting: no labels, or different numbers of them.
    """
    n = len(first)
    if n == 0 or len(second) != n:
        raise InvalidSetting(f"kappa needs pairs of labels, got {n} and {len(second)}")
    agree = sum(a == b for a, b in zip(first, second, strict=True))
    counts, others = Counter(first), Counter(second)
    chance = sum(counts[label] * others[label] for label in counts)
    if chance == n * n:
        return None
    return (agree * n - chance) / (n * n - chance)


def official_code(winner: str | None) -> int:
    """What LLMBar's evaluate.py puts in for a verdict: 1 for the first output, 0 for all else.

    Its labels stay 1 and 2, so that a correct verdict for the second output never counts as
    agreement: its kappa with the label is not the agreement beyond chance. Between the two orders
    it is.
    """
    return 1 if winner == "1" else 0
