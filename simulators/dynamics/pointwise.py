"""SPPO's practical loss, minimised over the simplex."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pointwise_minimiser(log_anchor: Array, gain: Array) -> Array:
    """The minimiser over the simplex of E_{y ~ anchor} (log pi(y)/anchor(y) - gain(y))^2.

    With log Z replaced by a constant inside ``gain`` (SPPO Eq. 4.6) the stationarity condition is
    log pi = log anchor + g - W(nu/2 e^g), W Lambert's function, with nu >= 0 such that pi sums to
    one. Exact win rates against the anchor average 1/2, so that E e^gain >= 1 and nu exists; where
    an estimate's average is so low that it does not, nu = 0 and the caller's normalisation is left.

    Args:
        log_anchor: (K, B) normalised log-probabilities of the anchor.
        gain: (K, B) step_size (P(y > mu) - 1/2), in nats.

    Returns:
        (K, B) log pi.
    """
    from scipy.special import wrightomega

    # W(e^z) = wrightomega(z): no overflow, and the unknown is s = log(nu / 2).
    def log_policy(s: Array) -> Array:
        return np.asarray(log_anchor + gain - wrightomega(gain + s))

    def excess(s: Array) -> Array:
        return np.asarray(np.exp(log_policy(s)).sum(axis=0) - 1)

    # The mass falls as s grows. At s -> -inf it is E e^gain >= 1; bracket, then bisect/Newton.
    low = np.full(gain.shape[1], -745.0)
    high = np.maximum(gain.max(axis=0), 0) + 1.0
    while (excess(high) > 0).any():
        high = high * 2
    s = np.minimum(high, -1.0)
    for _ in range(200):
        value = excess(s)
        low = np.where(value > 0, s, low)
        high = np.where(value <= 0, s, high)
        omega = wrightomega(gain + s)
        slope = -(np.exp(log_anchor + gain - omega) * omega / (1 + omega)).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            proposal = s - value / slope
        inside = np.isfinite(proposal) & (proposal > low) & (proposal < high)
        following = np.where(inside, proposal, (low + high) / 2)
        if np.abs(following - s).max() <= 1e-15 * np.maximum(1, np.abs(s)).max():
            s = following
            break
        s = following
    return log_policy(s)
