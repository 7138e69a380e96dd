"""Each family against golden matrices, closed forms and naive twins."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from conftest import golden_cases
from hypothesis import given
from hypothesis import strategies as st

from simulators.games import cyclic_triples, make_game

GOLDEN: list[tuple[str, str, dict[str, object]]] = [
    ("eq_rps_uniform", "cyclic", {}),
    ("eq_rps_ref631", "cyclic", {"actions": 3, "strength": 1.0}),
    ("eq_comal_uniform", "biased-rps", {}),
    ("eq_comal_ref", "biased-rps", {"a": 0.9, "b": 0.9, "c": 0.8}),
    ("eq_condorcet_.4_.35_.25", "condorcet", {}),
    ("eq_bt10", "bradley-terry", {}),
    ("eq_circ5", "cyclic", {"actions": 5, "beats": "next"}),
    ("eq_knob5_.2", "knob", {"k": 0.2}),
    ("eq_knob5_.8", "knob", {"k": 0.8}),
    ("eq_sin10", "random-skew", {"recipe": "sin"}),
    ("eq_tie4", "tie", {}),
    ("eq_clone_rps4", "clone", {}),
    ("step_rps", "cyclic", {}),
    ("step_bt5", "bradley-terry", {"actions": 5}),
    ("traj_bt4", "bradley-terry", {"utilities": "0,.5,1,1.5"}),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("case", "name", "parameters"), GOLDEN, ids=[g[0] for g in GOLDEN])
def test_golden_matrices(case: str, name: str, parameters: dict[str, object]) -> None:
    golden = {entry["id"]: entry for entry in golden_cases()}
    game = make_game(name, **parameters)
    np.testing.assert_allclose(game.preferences, golden[case]["P"], rtol=0, atol=1e-15)


@pytest.mark.shared_data
def test_every_golden_equilibrium_game_is_a_built_in_family() -> None:
    assert {case["id"] for case in golden_cases("equilibrium")} <= {
        *(g[0] for g in GOLDEN),
        "eq_rps_ref631_t01",  # the game of eq_rps_ref631 at another temperature
    }


@pytest.mark.shared_data
def test_golden_utilities_of_the_plackett_luce_games() -> None:
    cases = {case["id"]: case for case in golden_cases("pl_nplayer_symmetric_equilibrium")}
    game = make_game("plackett-luce", weights="0.5,0.3,0.2")
    assert game.players == cases["pl_annot3_n3"]["n"] == 3
    assert np.array_equal(game.utilities, cases["pl_annot3_n3"]["utilities"])
    assert np.array_equal(game.annotator_weights, cases["pl_annot3_n3"]["annotator_weights"])
    condorcet = make_game("condorcet", kind="utilities", weights=(0.5, 0.3, 0.2))
    assert np.array_equal(condorcet.utilities, game.utilities)
    assert np.array_equal(condorcet.preferences, game.preferences)
    one = make_game("plackett-luce", utilities="0,.5,1,1.5,2")
    assert np.array_equal(one.utilities, cases["pl_bt5_n3"]["utilities"])


@given(
    size=st.integers(3, 12), strength=st.floats(0, 1), beats=st.sampled_from(["previous", "next"])
)
def test_cyclic_by_hand(size: int, strength: float, beats: str) -> None:
    P = make_game("cyclic", actions=size, strength=strength, beats=beats).preferences
    for i, j in itertools.product(range(size), repeat=2):
        behind = (i - j) % size if beats == "previous" else (j - i) % size
        if behind == 0 or 2 * behind == size:
            assert P[i, j] == 0.5
        else:
            sign = 1 if 2 * behind < size else -1
            assert P[i, j] == pytest.approx(0.5 + sign * strength / 2, abs=1e-15)
    # The uniform policy makes every action equally good.
    assert P.mean(axis=1) == pytest.approx(0.5, abs=1e-15)


def test_rock_paper_scissors_by_name() -> None:
    game = make_game("cyclic")
    assert game.actions == ("rock", "paper", "scissors")
    beats = {(game.actions[i], game.actions[j]) for i, j in np.argwhere(game.preferences == 1)}
    assert beats == {("paper", "rock"), ("rock", "scissors"), ("scissors", "paper")}


probabilities = st.floats(0.51, 1.0)


@given(a=probabilities, b=probabilities, c=probabilities)
def test_biased_rps_has_its_closed_form_equilibrium(a: float, b: float, c: float) -> None:
    game = make_game("biased-rps", a=a, b=b, c=c)
    P = game.preferences
    rock, paper, scissors = (game.actions.index(n) for n in ("rock", "paper", "scissors"))
    assert P[paper, rock] == pytest.approx(a, abs=1e-15)
    assert P[scissors, paper] == pytest.approx(b, abs=1e-15)
    assert P[rock, scissors] == pytest.approx(c, abs=1e-15)
    equilibrium = np.array([b - 0.5, c - 0.5, a - 0.5]) / (a + b + c - 1.5)
    assert P @ equilibrium == pytest.approx(0.5, abs=1e-14)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=6))
def test_bradley_terry_is_a_sigmoid_and_transitive(utilities: list[float]) -> None:
    game = make_game("bradley-terry", utilities=utilities)
    for i, u in enumerate(utilities):
        for j, v in enumerate(utilities):
            expected = math.exp(u - v) / (1 + math.exp(u - v))
            assert game.preferences[i, j] == pytest.approx(expected, rel=1e-13, abs=1e-15)
    assert cyclic_triples(game.preferences) == 0
    assert (game.preferences + game.preferences.T == 1).all()


def test_small_probabilities_of_bradley_terry_keep_their_precision() -> None:
    for utilities in ([0.0, 40.0], [40.0, 0.0]):
        P = make_game("bradley-terry", utilities=utilities).preferences
        low, high = np.argsort(utilities)
        assert P[low, high] == pytest.approx(math.exp(-40), rel=1e-12)


@pytest.mark.parametrize("kind", ["rankings", "utilities"])
def test_condorcet_by_hand(kind: str) -> None:
    rankings, weights = ["good>fair>bad", "bad > good > fair"], [0.75, 0.25]
    game = make_game(
        "condorcet", rankings=",".join(rankings), weights=weights, kind=kind, sharpness=1.5
    )
    assert game.actions == ("bad", "fair", "good")
    expected = np.zeros((3, 3))
    for ranking, weight in zip(rankings, weights, strict=True):
        order = [name.strip() for name in ranking.split(">")]
        for i, j in itertools.product(range(3), repeat=2):
            lead = order.index(game.actions[j]) - order.index(game.actions[i])
            if kind == "rankings":
                expected[i, j] += weight * (0.5 + 0.5 * np.sign(lead))
            else:
                expected[i, j] += weight / (1 + math.exp(-1.5 * lead))
    np.testing.assert_allclose(game.preferences, expected, rtol=0, atol=1e-15)
    assert game.annotators is not None
    assert game.annotators.shape == (2, 3, 3)
    assert game.annotator_weights is not None
    mean = np.einsum("a,aij->ij", game.annotator_weights, game.annotators)
    np.testing.assert_allclose(game.preferences, mean, rtol=0, atol=1e-15)
    assert (game.utilities is None) == (kind == "rankings")
    assert all(cyclic_triples(one) == 0 for one in game.annotators)


def test_condorcet_is_a_cycle_of_transitive_annotators() -> None:
    assert cyclic_triples(make_game("condorcet").preferences) == 1


@given(k=st.floats(0, 1), actions=st.integers(3, 9))
def test_knob_is_linear_between_its_ends(k: float, actions: int) -> None:
    transitive = make_game("bradley-terry", actions=actions).preferences
    cyclic = make_game("cyclic", actions=actions, strength=0.8, beats="next").preferences
    P = make_game("knob", k=k, actions=actions).preferences
    np.testing.assert_allclose(P, (1 - k) * transitive + k * cyclic, rtol=0, atol=1e-15)


@given(
    actions=st.integers(3, 12),
    circles=st.integers(1, 3),
    radius=st.floats(0.1, 3),
    sharpness=st.floats(0, 5),
)
def test_disc_by_hand(actions: int, circles: int, radius: float, sharpness: float) -> None:
    settings: dict[str, Any] = {"actions": actions, "circles": circles, "radius": radius}
    bilinear = make_game("disc", kind="bilinear", **settings).preferences
    sigmoid = make_game("disc", sharpness=sharpness, **settings).preferences
    points = []
    for i in range(actions):
        r = radius * (1 + i % circles) / circles
        angle = 2 * math.pi * i / actions
        points.append((r * math.cos(angle), r * math.sin(angle)))
    for i, (xi, yi) in enumerate(points):
        for j, (xj, yj) in enumerate(points):
            lead = yi * xj - xi * yj
            assert bilinear[i, j] == pytest.approx(0.5 + lead / (2 * radius**2), abs=1e-14)
            expected = 1 / (1 + math.exp(-sharpness * lead))
            assert sigmoid[i, j] == pytest.approx(expected, abs=1e-13)


def test_opposite_points_of_the_disc_tie_exactly() -> None:
    P = make_game("disc").preferences
    assert all(P[i, (i + 4) % 8] == 0.5 for i in range(8))


def test_random_skew_follows_its_recipe() -> None:
    P = make_game("random-skew", actions=4, seed=7, scale=0.3).preferences
    expected = iter(np.random.Generator(np.random.PCG64(7)).random(6))  # the same 53 bits each
    for i in range(4):
        for j in range(i + 1, 4):
            assert P[i, j] == pytest.approx(0.5 + 0.3 * (2 * next(expected) - 1), abs=1e-15)


@given(st.integers(2, 30), st.integers(0, 2**63 - 1), st.floats(0, 0.5))
def test_random_skew_is_bounded_and_seeded(actions: int, seed: int, scale: float) -> None:
    P = make_game("random-skew", actions=actions, seed=seed, scale=scale).preferences
    assert np.abs(P - 0.5).max() <= scale + 1e-16
    assert (P + P.T == 1).all()
    other = make_game("random-skew", actions=actions, seed=seed // 2 + 1, scale=scale).preferences
    assert scale < 1e-3 or seed // 2 + 1 == seed or not np.array_equal(P, other)


def test_plackett_luce_default_is_a_mixture_of_three_annotators() -> None:
    game = make_game("plackett-luce")
    assert game.annotator_weights == pytest.approx([1 / 3] * 3)
    assert game.utilities is not None
    for i, j in itertools.product(range(3), repeat=2):
        expected = np.mean([1 / (1 + math.exp(u[j] - u[i])) for u in game.utilities])
        assert game.preferences[i, j] == pytest.approx(expected, abs=1e-15)


@given(
    base=st.sampled_from(
        ["cyclic:actions=4", "condorcet", "plackett-luce", "contextual:contexts=3"]
    ),
    action=st.integers(0, 2),
    copies=st.integers(1, 3),
)
def test_clones_play_alike_and_tie(base: str, action: int, copies: int) -> None:
    name, _, tail = base.partition(":")
    key, _, value = tail.partition("=")
    original = make_game(name, **({key: value} if key else {}))
    game = make_game("clone", base=base, action=action, copies=copies)
    assert game.size == original.size + copies
    origin = [*range(action + 1), *[action] * copies, *range(action + 1, original.size)]
    for i, j in itertools.product(range(game.size), repeat=2):
        here = game.preferences[..., i, j]
        assert np.array_equal(here, original.preferences[..., origin[i], origin[j]])
    assert len(set(game.actions)) == game.size
    assert game.players == original.players
    if original.utilities is not None:
        assert game.utilities is not None
        assert np.array_equal(game.utilities, original.utilities[:, origin])
    if original.annotators is not None:
        assert game.annotators is not None
        assert game.annotators.shape == (3, game.size, game.size)


def test_a_clone_never_takes_a_name_in_use() -> None:
    game = make_game("clone", base="condorcet:rankings=a>a2>b,b>a2>a;weights=.5,.5", copies=2)
    assert game.actions == ("a", "a3", "a4", "a2", "b")


def test_contextual_by_hand() -> None:
    contexts, K, d, seed, cyclicity, spread, strength = 6, 4, 3, 11, 0.4, 2.5, 0.7
    game = make_game(
        "contextual",
        contexts=contexts,
        actions=K,
        features=d,
        seed=seed,
        cyclicity=cyclicity,
        spread=spread,
        strength=strength,
    )
    draws = iter(2 * np.random.Generator(np.random.PCG64(seed)).random((2 * K + contexts) * d) - 1)
    V, W, X = ([[next(draws) for _ in range(d)] for _ in range(n)] for n in (K, K, contexts))
    assert game.features is not None
    np.testing.assert_allclose(game.features, X, rtol=0, atol=0)
    cycle = 2 * make_game("cyclic", actions=K).preferences - 1
    for c, x in enumerate(X):
        t = (x[0] - (1 - 2 * cyclicity) * 1.2) / 0.4 + 0.5
        t = min(max(t, 0.0), 1.0)
        g = 3 * t**2 - 2 * t**3
        u = [spread * sum(a * b for a, b in zip(v, x, strict=True)) / math.sqrt(d) for v in V]
        s = [
            0.5 + 0.5 / (1 + math.exp(-2 * sum(a * b for a, b in zip(w, x, strict=True))))
            for w in W
        ]
        for i, j in itertools.product(range(K), repeat=2):
            transitive = 1 / (1 + math.exp(u[j] - u[i])) - 0.5
            cyclic = 0.5 * strength * s[i] * cycle[i, j] * s[j]
            expected = 0.5 + (1 - g) * transitive + g * cyclic
            assert game.preferences[c, i, j] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("cyclicity", [0.0, 0.3, 0.5, 1.0])
def test_cyclicity_is_about_the_share_of_cyclic_contexts(cyclicity: float) -> None:
    game = make_game("contextual", contexts=2000, actions=3, cyclicity=cyclicity)
    cyclic = np.mean([cyclic_triples(P) > 0 for P in game.preferences])
    if cyclicity in (0.0, 1.0):
        assert cyclic == cyclicity
    else:
        assert cyclic == pytest.approx(cyclicity, abs=0.15)


def test_more_contexts_of_a_seed_begin_with_the_fewer() -> None:
    few, many = (make_game("contextual", contexts=n, seed=5) for n in (4, 40))
    assert few.contexts == 4
    assert np.array_equal(few.preferences, many.preferences[:4])
    assert few.features is not None
    assert many.features is not None
    assert np.array_equal(few.features, many.features[:4])


@pytest.mark.parametrize("payoff", ["margin", "majority"])
@pytest.mark.parametrize(("soldiers", "fields"), [(1, 2), (4, 3), (6, 3), (3, 4)])
def test_blotto_by_hand(soldiers: int, fields: int, payoff: str) -> None:
    plans = [
        plan
        for plan in itertools.product(range(soldiers + 1), repeat=fields)
        if sum(plan) == soldiers
    ]
    net = [[sum(np.sign(a - b) for a, b in zip(p, q, strict=True)) for q in plans] for p in plans]
    largest = max(1, max(max(row) for row in net))
    game = make_game("blotto", soldiers=soldiers, fields=fields, payoff=payoff)
    assert game.actions == tuple("-".join(map(str, plan)) for plan in plans)
    gains = np.sign(net) if payoff == "majority" else np.array(net) / largest
    np.testing.assert_allclose(game.preferences, 0.5 + gains / 2, rtol=0, atol=1e-15)


@pytest.mark.parametrize("payoff", ["margin", "majority"])
def test_unordered_blotto_is_the_mean_over_the_orders(payoff: str) -> None:
    settings: dict[str, Any] = {"soldiers": 5, "fields": 3, "payoff": payoff}
    ordered = make_game("blotto", **settings)
    game = make_game("blotto", allocations="unordered", **settings)
    assert set(game.actions) == {"5-0-0", "4-1-0", "3-2-0", "3-1-1", "2-2-1"}
    place = {name: i for i, name in enumerate(ordered.actions)}
    for i, p in enumerate(game.actions):
        for j, q in enumerate(game.actions):
            rows, columns = (
                [place["-".join(order)] for order in itertools.permutations(name.split("-"))]
                for name in (p, q)
            )
            mean = ordered.preferences[np.ix_(rows, columns)].mean()
            assert game.preferences[i, j] == pytest.approx(mean, abs=1e-15)
