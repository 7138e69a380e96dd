import numpy as np
import pytest

from evaluation.alpaca_eval.controlling import PARTS, control, draw
from evaluation.alpaca_eval.length_control import Rows, controlled, fit, read_gamed
from evaluation.alpaca_eval.sample import Sample


def sample_of(world, model, keep, without=()):
    preference = np.array([world.preference(model, k) for k in keep])
    preference[list(without)] = np.nan
    lengths = np.array([(len(world.baseline(k)), len(world.output(model, k))) for k in keep])
    return Sample(model, np.array(keep), preference, lengths, world.size)


@pytest.mark.parametrize("by_position", [True, False])
def test_draws_against_copied_rows(world, by_position):
    """Rows absent and preferences missing: each draw again, from copies of its rows."""
    gamed = read_gamed(world.glm / "df_gamed.csv")
    keep = [k for k in range(world.size) if k not in (0, 31)]
    own = sample_of(world, "mini", keep, without=(2, 40, 41))
    draws = draw(world.size, 3, 30)
    places = np.arange(world.size)
    found = control(own, places, world.glm / "df_gamed.csv", gamed, draws, by_position=by_position)
    delta = (own.lengths[:, 0] - own.lengths[:, 1]).astype(float)
    difficulty = gamed.by_instruction[np.arange(len(keep)) if by_position else keep]
    for times, value in list(zip(draws.times, found.drawn, strict=True))[::5]:
        rows = np.concatenate([[n] * int(times[k]) for n, k in enumerate(keep)]).astype(int)
        judged = rows[~np.isnan(own.preference[rows])]
        spread = np.array([np.std(delta[rows], ddof=1)])
        copied = Rows(own.preference[judged] - 1, delta[judged], difficulty[judged])
        once = np.ones((1, len(judged)))
        w = fit(copied, gamed, found.fit.C, once, spread)
        every = Rows(own.preference[rows], delta[rows], difficulty[rows])
        assert value == pytest.approx(controlled(w, every)[0], abs=1e-6)
    assert found.interval.n == len(keep) - 3
    assert found.interval.low < found.interval.value < found.interval.high


def test_multiplicities(world):
    draws = draw(world.size, 0, 50)
    assert (draws.times.sum(axis=1) == world.size).all()
    assert (draws.without.sum(axis=0) == world.size - 1).all()  # each is left out once
    assert (draw(world.size, 0, 50).times == draws.times).all()
    many = draw(805, 0, 2)
    assert many.without.shape == (PARTS, 805)
    assert (many.without.sum(axis=0) == PARTS - 1).all()


def test_equal_lengths_have_no_length_control(world):
    gamed = read_gamed(world.glm / "df_gamed.csv")
    own = sample_of(world, "mini", range(world.size))
    same = Sample("m", own.index, own.preference, np.full((world.size, 2), 7), world.size)
    arguments = (np.arange(world.size), world.glm / "df_gamed.csv", gamed, draw(world.size, 0, 5))
    assert control(same, *arguments, by_position=True) is None


def test_a_model_that_always_wins(world):
    """Nothing varies but the draws' difficulties: still a value, and no failed fit."""
    gamed = read_gamed(world.glm / "df_gamed.csv")
    own = sample_of(world, "mini", range(world.size))
    winner = Sample("m", own.index, np.full(world.size, 2.0), own.lengths, world.size)
    arguments = (np.arange(world.size), world.glm / "df_gamed.csv", gamed, draw(world.size, 0, 50))
    found = control(winner, *arguments, by_position=True)
    assert found.interval.value > 90
    assert np.isfinite(found.drawn).all()
