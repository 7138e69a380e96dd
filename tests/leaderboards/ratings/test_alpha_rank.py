import numpy as np
import pytest
from conftest import preference_matrices
from hypothesis import given

from leaderboards.ratings.alpha_rank import alpha_ranks


def by_walking(P, epsilon):
    """The stationary distribution from its definition, by linear algebra."""
    size = len(P)
    chain = np.zeros((size, size))
    for old in range(size):
        for new in range(size):
            if old != new:
                margin = P[new, old] - P[old, new]
                fit = 0.5 if abs(margin) < 1e-9 else 1 - epsilon if margin > 0 else epsilon
                chain[old, new] = fit / (size - 1)
        chain[old, old] = 1 - chain[old].sum()
    equations = np.vstack([(chain - np.eye(size)).T, np.ones(size)])
    return np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]


@given(preference_matrices(max_actions=7))
def test_as_the_definition_says(P):
    assert alpha_ranks(P[None], epsilon=0.03)[0] == pytest.approx(by_walking(P, 0.03), abs=1e-9)


@given(preference_matrices(max_actions=7))
def test_the_limit_is_the_limit(P):
    found = alpha_ranks(P[None])[0]
    assert found == pytest.approx(by_walking(P, 1e-7), abs=1e-4)
    assert found.sum() == pytest.approx(1)
    # Whoever has mass is beaten by nobody without.
    inside, outside = found > 0, found == 0
    assert (P[np.ix_(inside, outside)] > 0.5).all()


def test_a_winner_takes_all_and_a_cycle_shares():
    wins = np.array([[0.5, 0.51, 0.9], [0.49, 0.5, 0.9], [0.1, 0.1, 0.5]])
    cycle = np.array([[0.5, 0.9, 0.4], [0.1, 0.5, 0.6], [0.6, 0.4, 0.5]])
    found = alpha_ranks(np.array([wins, cycle]))
    assert found[0].tolist() == [1, 0, 0]
    assert found[1] == pytest.approx(np.ones(3) / 3)
    assert alpha_ranks(np.full((1, 4, 4), 0.5))[0] == pytest.approx(np.ones(4) / 4)


@pytest.mark.peers
@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_openspiel_agrees(size):
    peer = pytest.importorskip("open_spiel.python.egt.alpharank")
    random = np.random.default_rng(size)
    margins = random.normal(0, 0.2, (8, size, size))
    P = (0.5 + (margins - margins.transpose(0, 2, 1)) / 2).clip(0, 1)
    for epsilon in (0.1, 0.01):
        found = alpha_ranks(P, epsilon=epsilon)
        for own, matrix in zip(found, P, strict=True):
            theirs = peer.compute([matrix], use_inf_alpha=True, inf_alpha_eps=epsilon)[2]
            assert own == pytest.approx(theirs, abs=1e-9)
    # Its own sweep to strong selection, m = 50 and alpha = 100, where no margin is small.
    clear = np.where(P > 0.5, P + 0.1, np.where(P < 0.5, P - 0.1, 0.5))
    for own, matrix in zip(alpha_ranks(clear), clear, strict=True):
        with np.errstate(over="ignore"):
            theirs = peer.compute([matrix], m=50, alpha=100.0, use_local_selection_model=True)[2]
        assert own == pytest.approx(theirs, abs=1e-6)
