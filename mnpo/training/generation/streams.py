"""Randomness that belongs to one completion, whatever it is batched with."""

import numpy as np

from mnpo.training.seeds import seed_for


def uniforms_for(seed: int, prompt: int, copy: int, length: int) -> np.ndarray:
    """(length,) uniforms in [0, 1) of one completion: a stream of its own (numpy's PCG64).

    Args:
        seed: at least 0.
        prompt: position of the prompt in the call.
        copy: which continuation of it.
        length: how many; a longer stream begins with a shorter one.
    """
    return np.random.default_rng([seed, prompt, copy]).random(length)


def request_seed(seed: int, prompt: int, copy: int, attempt: int = 0) -> int:
    """A seed for one request to an engine: 31 bits, which every one can hold."""
    return seed_for(seed, "request", prompt, copy, attempt) >> 32
