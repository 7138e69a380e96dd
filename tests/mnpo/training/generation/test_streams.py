import numpy as np

from mnpo.training.generation.streams import request_seed, uniforms_for


def test_streams_differ_by_every_coordinate_and_extend_each_other():
    base = uniforms_for(1, 2, 3, 8)
    assert np.array_equal(uniforms_for(1, 2, 3, 20)[:8], base)
    for other in [(2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2)]:
        assert not np.isin(uniforms_for(*other, 8), base).any()


def test_request_seeds_are_31_bits_and_differ():
    seeds = {request_seed(1, i, j, k) for i in range(10) for j in range(10) for k in range(3)}
    assert len(seeds) == 300
    assert all(0 <= seed < 2**31 for seed in seeds)
