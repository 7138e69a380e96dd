import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.statistics import (
    detectable_difference,
    deviation,
    mean_interval,
    p_value,
    prompts_needed,
    prompts_to_detect,
)
from mnpo.errors import InvalidSetting


def t_width(n, sd, level):
    return 2 * stats.t.ppf(0.5 + level / 2, n - 1) * sd / np.sqrt(n)


@given(st.floats(0.02, 3), st.floats(0.05, 2), st.sampled_from([0.8, 0.95]))
def test_the_fewest_prompts_by_trying(width, sd, level):
    found = prompts_needed(width, sd, level=level)
    assert t_width(found, sd, level) <= width * (1 + 1e-12)
    assert found == 2 or t_width(found - 1, sd, level) > width * (1 - 1e-12)


def test_a_pilot_plans_the_width_that_comes_out():
    random = np.random.default_rng(0)
    index = np.repeat(np.arange(200), 2)
    x = random.normal(size=200)[index] + random.normal(size=400)
    sd = deviation(x, index.tolist())
    assert sd == pytest.approx(np.sqrt(1 + 1 / 2), rel=0.15)
    found = mean_interval(x, index.tolist())
    assert prompts_needed(found.high - found.low, sd) == pytest.approx(200, abs=1)


def test_the_power_by_simulation():
    random = np.random.default_rng(1)
    difference = detectable_difference(40, 0.6)
    found = [p_value(difference + 0.6 * random.normal(size=40)) < 0.05 for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.025)
    assert prompts_to_detect(difference, 0.6) == 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prompts_needed(0, 1), "width"),
        (lambda: prompts_needed(0.1, float("nan")), "deviation"),
        (lambda: prompts_needed(1e-9, 1), "no number"),
        (lambda: detectable_difference(1, 1), "prompts"),
        (lambda: detectable_difference(9, 1, power=0.2), "power"),
        (lambda: deviation([0.5, 0.5]), "vary"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidSetting, match=message):
        call()
