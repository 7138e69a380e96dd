import numpy as np
import pytest

from evaluation.mt_bench.noise import judge_noise


def test_none_where_nothing_was_judged_twice():
    assert judge_noise({("1", 1): [7], ("1", 2): [8]}) is None
    assert judge_noise({}) is None


def test_by_hand():
    noise = judge_noise({("1", 1): [6, 8], ("2", 1): [3, 3]})
    assert noise.freedom == 2
    assert noise.judgement == pytest.approx(1.0)  # (1 + 1 + 0 + 0) / 2
    assert noise.score == pytest.approx(0.5)
    assert noise.score_judged_once == pytest.approx(0.5**0.5)
    assert noise.share == pytest.approx(0.25 / (np.var([7, 3], ddof=1) / 2))


def test_the_component_is_found_again():
    """Against the variance of whole rounds of judging, simulated."""
    rng = np.random.default_rng(1)
    cells, sd = 400, 1.3
    answers = rng.normal(6, 2, cells)
    ratings = answers[:, None] + rng.normal(0, sd, (cells, 3))
    noise = judge_noise({(str(c), 1): list(ratings[c]) for c in range(cells)})
    assert noise.judgement == pytest.approx(sd, rel=0.1)
    rounds = (answers[None] + rng.normal(0, sd, (2000, cells))).mean(axis=1)
    assert noise.score_judged_once == pytest.approx(rounds.std(ddof=1), rel=0.1)
    assert noise.score == pytest.approx(noise.score_judged_once / 3**0.5)
    whole = 2**2 + sd**2 / 3
    assert noise.share == pytest.approx(sd**2 / 3 / whole, rel=0.25)
