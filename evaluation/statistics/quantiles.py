"""Ends of an interval, read off the draws of a bootstrap."""

import numpy as np

from evaluation.statistics.inputs import Array, t_quantile


def percentile_ends(drawn: Array, clusters: int, level: float) -> tuple[float, float]:
    """Quantiles of the draws, expanded for the number of clusters (Hesterberg 2015).

    Args:
        drawn: (R,) the statistic on every draw.
        clusters: G >= 2.
        level: of confidence.
    """
    return _quantiles(drawn, -expanded_quantile(clusters, level), 0.0, 0.0)


def bca_ends(
    drawn: Array, value: float, left_out: Array, clusters: int, level: float
) -> tuple[float, float]:
    """Quantiles moved for median bias and skewness (Efron 1987, eqs. 6.5 and 6.6), expanded.

    Without a usable bias (all draws on one side of the value) they are the percentile ends.

    Args:
        drawn: (R,).
        value: the statistic of the sample.
        left_out: (parts,) the statistic without each part of the clusters.
        clusters: G >= 2.
        level: of confidence.
    """
    from scipy.special import ndtri

    # Draws that give the sample's own value again must not count as above or below by rounding.
    same = np.abs(drawn - value) <= 1e-9 * float(drawn.max() - drawn.min())
    below = float(((drawn < value) & ~same).mean() + same.mean() / 2)
    bias = float(ndtri(below)) if 0 < below < 1 else 0.0
    pulls = left_out.mean() - left_out
    spread = float((pulls**2).sum())
    skew = float((pulls**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    if not np.isfinite(skew) or not 0 < below < 1:
        bias = skew = 0.0
    return _quantiles(drawn, -expanded_quantile(clusters, level), bias, skew)


def expanded_quantile(clusters: int, level: float) -> float:
    """The normal quantile's stand-in: t's, times sqrt(G / (G - 1))."""
    return t_quantile(0.5 + level / 2, clusters - 1) * float(np.sqrt(clusters / (clusters - 1)))


def _quantiles(drawn: Array, lower: float, bias: float, skew: float) -> tuple[float, float]:
    from scipy.special import ndtr

    levels = []
    for z in (lower, -lower):
        moved = bias + z
        # Beyond the pole of the correction the level has left (0, 1) on the side of z.
        scale = 1 - skew * moved
        levels.append(float(ndtr(bias + moved / scale)) if scale > 0 else float(z > 0))
    low, high = np.quantile(drawn, levels)
    return float(low), float(high)
