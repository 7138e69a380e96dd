"""Cycles of a preference matrix: how many, and the most pronounced ones."""

import numpy as np

from simulators.games.game import Array


def cyclic_triples(P: Array) -> int:
    """Number of triples {i, j, k} with i > j > k > i, where > is ``P > 1/2``.

    Each triple counts once; ties and NaN cells make no cycle. As every directed triangle closes
    three walks of length three, the number is ``trace(W^3) / 3`` of the win matrix W.

    Args:
        P: (K, K) preferences; NaN allowed.
    """
    wins = _wins(P)
    return round(float(np.einsum("ij,ji->", wins @ wins, wins)) / 3)


def strongest_cycles(P: Array, limit: int = 10) -> tuple[tuple[float, tuple[int, int, int]], ...]:
    """The cyclic triples with the largest margin, where a margin is the smallest of three wins.

    Args:
        P: (K, K) preferences; NaN allowed.
        limit: how many to return.

    Returns:
        ``(margin, (i, j, k))``, i beats j beats k beats i, i the smallest; largest margin first,
        among equals in the order of the actions.
    """
    wins = _wins(P) > 0
    found: list[tuple[float, tuple[int, int, int]]] = []
    for i in range(len(P)):
        # j and k after i, so that each cycle is found once, at its smallest action.
        ahead = wins[i, i + 1 :, None] & wins[i + 1 :, i + 1 :] & wins[i + 1 :, i][None, :]
        j, k = np.nonzero(ahead) if ahead.any() else (np.array([], int), np.array([], int))
        j, k = j + i + 1, k + i + 1
        margin = np.minimum(np.minimum(P[i, j], P[j, k]), P[k, i])
        best = np.lexsort((k, j, -margin))[:limit]
        found += [(float(margin[b]), (i, int(j[b]), int(k[b]))) for b in best]
    return tuple(sorted(found, key=lambda cycle: (-cycle[0], cycle[1]))[:limit])


def _wins(P: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return (np.asarray(P, dtype=np.float64) > 0.5).astype(np.float64)
