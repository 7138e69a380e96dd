"""Shares of annotators, and the matrix of the population they make up."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Array
from simulators.games.matrices import complement


def shares(weights: tuple[float, ...], annotators: int, game: str) -> Array:
    """The annotators' shares as an array (A,) that sums to one.

    Raises:
        InvalidSetting: not one weight per annotator, a weight that is not positive, a wrong sum.
    """
    share = np.array(weights)
    if len(share) != annotators:
        raise InvalidSetting(
            f"game '{game}': {len(share)} weights for {annotators} annotators; give one each"
        )
    if share.min() <= 0 or abs(share.sum() - 1.0) > 1e-6:
        raise InvalidSetting(
            f"game '{game}': weights must be positive and sum to 1; they are "
            f"{', '.join(f'{w:g}' for w in weights)}, sum {share.sum():.9g}"
        )
    return share if share.sum() == 1.0 else share / share.sum()


def mixture(matrices: Array, share: Array) -> Array:
    """Weighted mean of the annotators' preference matrices: (A, K, K), (A,) -> (K, K)."""
    return complement(np.einsum("a,aij->ij", share, matrices))
