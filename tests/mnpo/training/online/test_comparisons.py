import itertools

import numpy as np
import pytest
import torch
from conftest import policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from mnpo.algorithms.update import Distance
from mnpo.losses.objective import preference_objective
from mnpo.training.online.comparisons import against_demonstrations, choose_pairs, weigh_support
from mnpo.training.recipe import PairSettings
from simulators.dynamics.pairs import population_pairs

CYCLE = np.array([[0.5, 0.8, 0.1], [0.2, 0.5, 0.7], [0.9, 0.3, 0.5]])
MU = np.array([0.5, 0.3, 0.2])
F = np.array([0.4, -1.1, 0.9])
STEP = 0.7


def loss(f, weights, preferences, distance=Distance.SQUARED) -> float:
    return float(
        preference_objective(
            torch.tensor(f),
            distance=distance,
            step_size=STEP,
            weights=torch.tensor(weights),
            preferences=torch.tensor(np.ascontiguousarray(preferences)),
        )
    )


def expected_loss(size, settings, f=F, mu=MU, distance=Distance.SQUARED, labels=1) -> float:
    """The mean over all K-tuples of actions drawn iid from mu, each with its probability."""
    total = 0.0
    for drawn in itertools.product(range(len(mu)), repeat=size):
        chosen = list(drawn)
        asked = CYCLE[np.ix_(chosen, chosen)]
        for seed in range(labels):
            made = choose_pairs(asked, [(action,) for action in chosen], settings, seed)
            value = loss(f[chosen], made.weights, made.preferences, distance)
            total += np.prod(mu[chosen]) * value / labels
    return total


def population_loss(f=F, mu=MU, distance=Distance.SQUARED) -> float:
    pairs = population_pairs(mu[:, None], CYCLE)
    return loss(f, pairs.weights[0], pairs.preferences[0], distance)


@pytest.mark.parametrize("distance", [Distance.SQUARED, Distance.LOGISTIC])
@pytest.mark.parametrize(("scheme", "size"), [("all", 2), ("all", 3), ("iid", 3), ("iid", 4)])
def test_all_and_iid_pairs_are_unbiased(scheme, size, distance):
    settings = PairSettings(scheme=scheme)
    found = expected_loss(size, settings, distance=distance)
    assert found == pytest.approx(population_loss(distance=distance), abs=1e-12)


def test_all_pairs_are_unbiased_for_the_pointwise_gradient():
    """SPPO's practical loss: a win rate's noise adds a constant, whatever f is."""
    settings = PairSettings(scheme="all")
    other = np.array([-0.2, 0.3, 0.1])
    found = [expected_loss(3, settings, f, distance=Distance.POINTWISE) for f in (F, other)]
    exact = [population_loss(f, distance=Distance.POINTWISE) for f in (F, other)]
    # Of K actions all the same nothing is known: those groups say 1/2, as the truth does.
    assert found[0] - found[1] == pytest.approx(exact[0] - exact[1], abs=1e-12)


def test_soft_logistic_win_rates_of_few_responses_are_biased():
    """A label through sigma is not linear in the estimated rates: less biased with more."""
    other = np.array([-0.2, 0.3, 0.1])
    distance = Distance.SOFT_LOGISTIC
    exact = population_loss(F, distance=distance) - population_loss(other, distance=distance)

    def bias(size, scheme):
        settings = PairSettings(scheme=scheme)
        found = [expected_loss(size, settings, f, distance=distance) for f in (F, other)]
        return abs(found[0] - found[1] - exact)

    assert bias(5, "all") < bias(3, "all") < bias(2, "all")
    assert bias(2, "iid") == pytest.approx(bias(2, "all"))


def test_hard_labels_leave_the_mean():
    found = expected_loss(2, PairSettings(labels="hard"), labels=200)
    assert found == pytest.approx(population_loss(), abs=0.02)


def minimiser(weights, preferences) -> np.ndarray:
    """f of least squared loss, mean zero: weighted least squares on the graph, by hand."""
    both = weights + weights.T
    laplacian = np.diag(both.sum(axis=1)) - both
    advantage = (weights * (preferences - 0.5)).sum(1) - (weights * (preferences - 0.5)).sum(0)
    return np.linalg.lstsq(laplacian, STEP * advantage, rcond=None)[0]


def mean_pairs(preferences, mu, size, scheme, draws=3000) -> np.ndarray:
    random = np.random.default_rng(0)
    weights = np.zeros_like(preferences)
    for number in range(draws):
        drawn = random.choice(len(mu), size=size, p=mu)
        made = choose_pairs(
            preferences[np.ix_(drawn, drawn)],
            [(int(action),) for action in drawn],
            PairSettings(scheme=scheme),
            number,
        )
        np.add.at(weights, np.ix_(drawn, drawn), made.weights)
    return weights / draws


def test_best_and_worst_of_five_flatten_the_step():
    """E9 of the theory: the range of the step shrinks; iid pairs give it right."""
    utilities = np.linspace(0, 3, 8)
    preferences = 1 / (1 + np.exp(utilities[None, :] - utilities[:, None]))
    mu = np.full(8, 1 / 8)
    exact = STEP * (preferences @ mu)
    ranges = {
        scheme: np.ptp(minimiser(mean_pairs(preferences, mu, 5, scheme), preferences))
        for scheme in ("all", "iid", "best-worst")
    }
    assert ranges["all"] == pytest.approx(np.ptp(exact), rel=0.05)
    assert ranges["iid"] == pytest.approx(np.ptp(exact), rel=0.05)
    assert ranges["best-worst"] < 0.9 * np.ptp(exact)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_the_best_and_the_worst_of_two_are_the_pair_itself(p):
    preferences = np.array([[0.5, p], [1 - p, 0.5]])
    ids, f = [(1,), (2,)], np.array([0.3, -0.8])
    best, iid = (
        choose_pairs(preferences, ids, PairSettings(scheme=scheme), 0)
        for scheme in ("best-worst", "iid")
    )
    assert loss(f, best.weights, best.preferences) == pytest.approx(
        loss(f, iid.weights, iid.preferences), abs=1e-15
    )


def test_best_and_worst_are_by_the_mean_win_rate():
    preferences = np.array([[0.5, 0.6, 0.9], [0.4, 0.5, 0.8], [0.1, 0.2, 0.5]])
    made = choose_pairs(preferences, [(1,), (2,), (3,)], PairSettings(scheme="best-worst"), 0)
    assert made.weights.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_all_tied_responses_are_still_compared():
    """A tie says that the margin is 0, which is news to the policy."""
    tied = np.full((3, 3), 0.5)
    made = choose_pairs(tied, [(1,), (2,), (3,)], PairSettings(scheme="best-worst"), 0)
    assert made.weights.sum() == 1
    assert np.trace(made.weights) == 0
    same = choose_pairs(tied, [(1,)] * 3, PairSettings(scheme="best-worst"), 0)
    assert same.empty


SETTINGS = st.builds(
    PairSettings,
    scheme=st.sampled_from(["all", "iid", "best-worst"]),
    labels=st.sampled_from(["soft", "hard"]),
)


@given(preference_matrices(2, 7), SETTINGS, st.integers(0, 2**63 - 1))
def test_weights_sum_to_one_and_labels_are_answers(preferences, settings, seed):
    ids = [(i,) for i in range(len(preferences))]
    made = choose_pairs(preferences, ids, settings, seed)
    assert made.weights.sum() == pytest.approx(1, abs=1e-12)
    assert (made.weights >= 0).all()
    assert not np.diag(made.weights).any()
    assert not made.empty
    np.testing.assert_allclose(made.preferences + made.preferences.T, 1, atol=1e-12)
    if settings.labels == "hard":
        off = made.preferences[~np.eye(len(ids), dtype=bool)]
        assert set(off.tolist()) <= {0.0, 1.0}
        certain = np.isin(preferences, (0.0, 1.0))
        assert (made.preferences[certain] == preferences[certain]).all()
        assert (np.diag(made.preferences) == 0.5).all()
    else:
        assert made.preferences is preferences
    again = choose_pairs(preferences, ids, settings, seed)
    assert (again.weights == made.weights).all()
    assert (again.preferences == made.preferences).all()


def test_hard_labels_have_the_right_mean_and_change_with_the_seed():
    draws = [
        choose_pairs(CYCLE, [(0,), (1,), (2,)], PairSettings(labels="hard"), seed).preferences
        for seed in range(4000)
    ]
    np.testing.assert_allclose(np.mean(draws, axis=0), CYCLE, atol=0.03)
    assert len({draw.tobytes() for draw in draws}) == 8
    upper = np.array(draws)[:, [0, 0, 1], [1, 2, 2]]
    correlations = np.corrcoef(upper.T)[~np.eye(3, dtype=bool)]
    assert abs(correlations).max() < 0.06


@pytest.mark.parametrize(("size", "pairs"), [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3)])
def test_iid_pairs_are_disjoint(size, pairs):
    made = choose_pairs(
        np.full((size, size), 0.5), [(i,) for i in range(size)], PairSettings(scheme="iid"), 0
    )
    used = made.weights + made.weights.T
    assert (used > 0).sum() == 2 * pairs
    assert ((used > 0).sum(axis=0) <= 1).all()


@given(st.data())
def test_a_known_support_is_the_simulators_population(data):
    preferences = data.draw(preference_matrices(2, 6))
    mu = data.draw(policies(len(preferences)))
    shift = data.draw(st.floats(-500, 500))
    made = weigh_support(preferences, np.log(mu) + shift)
    theirs = population_pairs(mu[:, None], preferences)
    np.testing.assert_allclose(made.weights, theirs.weights[0], rtol=1e-9, atol=1e-12)
    assert made.preferences is preferences
    assert made.weights.sum() == pytest.approx(1, abs=1e-12)


def test_a_support_may_hold_what_the_sampler_never_says():
    made = weigh_support(np.full((2, 2), 0.5), np.array([0.0, -np.inf]))
    assert made.weights.tolist() == [[1, 0], [0, 0]]


def test_demonstrations_stand_first_and_win():
    made = against_demonstrations(3)
    assert made.weights.tolist() == [[0, 1 / 3, 1 / 3, 1 / 3], *[[0] * 4] * 3]
    assert made.preferences[0].tolist() == [0.5, 1, 1, 1]
    np.testing.assert_allclose(made.preferences + made.preferences.T, 1)


def test_a_demonstration_without_samples_compares_nothing():
    assert against_demonstrations(0).empty
