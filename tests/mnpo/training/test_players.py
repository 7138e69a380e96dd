"""The loop's interpretation of sources against the simulator's, on tables instead of models."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from simulators.dynamics.loop import run
from simulators.dynamics.problem import Ledger, Problem

from mnpo.algorithms.sources import (
    CURRENT,
    DEMONSTRATIONS,
    INTERMEDIATE,
    MAGNET,
    OTHER_PLAYERS,
    PREVIOUS_INTERMEDIATE,
    REFERENCE,
    SOLUTION,
    External,
    Geometric,
    History,
    MovingAverage,
)
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting
from mnpo.training.methods import get_method, list_methods
from mnpo.training.players import Players

ACTIONS = 6
ITERATIONS = 5


def table(checkpoint) -> np.ndarray:
    """(K, 1) log-probabilities that stand for a checkpoint, random and independent."""
    logits = np.random.default_rng(int(checkpoint.sha256[:12], 16)).normal(size=(ACTIONS, 1))
    return logits - np.log(np.exp(logits).sum())


@dataclass
class Scribe:
    """A minimiser that notes what it is asked and answers with the next checkpoint's table."""

    answers: list
    tasks: list = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)

    def minimise(self, task):
        self.tasks.append(task)
        return table(self.answers[len(self.tasks) - 1]).copy()


def resolved(method, players, policy):
    """(update, anchors, opponents) in the loop's order, each result a new checkpoint."""
    found, results = [], []
    for t in range(ITERATIONS):
        following, carried = [], []
        for player in range(len(players.history)):
            intermediate = before = None
            for index, update in enumerate(method.updates(t)):
                before = intermediate
                found.append(
                    (
                        update,
                        players.anchors(update, player, intermediate),
                        players.opponents(update, player, intermediate),
                    )
                )
                intermediate = policy(f"{t}-{player}-{index}")
                results.append(intermediate)
            following.append(intermediate)
            carried.append(before)
        players.advance(following, carried)
    return found, results


CASES = [
    *((name, {}) for name in list_methods() if name not in ("comal", "mpo", "eo-mnpo", "ht-mnpo")),
    ("comal", {"inner": 1}),
    ("comal", {"inner": 2}),
    ("mpo", {"inner": 2}),
    ("mpo", {"inner": 3}),
    ("mpo", {"inner": 2, "schedule": "decaying"}),
    ("nash-md", {"schedule": "decaying"}),
    ("inpo", {"step_size": 15.0}),
    ("mnpo", {"num_players": 5, "advantage": "average"}),
    ("mnpo", {"history_weights": (0.0, 2.0, 1.0), "advantage": "average"}),
    ("mnpo", {"history_weights": (0.2, 0.3), "scale_weights": False}),
    ("mnpo", {"advantage": "reward"}),
    ("mnpo-eq10", {"num_players": 2}),
    ("mnpo-eq10", {"num_players": 4, "target_form": "own-pairs"}),
    ("ht-mnpo", {"num_players": 3, "reading": "alg2"}),
    ("ht-mnpo", {"num_players": 3, "reading": "intended", "self_weight": 0.3}),
    ("ht-mnpo", {"num_players": 2, "reading": "intended", "self_weight": 1.0}),
    ("eo-mnpo", {"external_weights": (2.0, 1.0), "reference_weight": 0.2}),
    ("eo-mnpo", {"external_weights": (2.0, 1.0), "advantage": "externals"}),
    ("eo-mnpo", {"external_weights": (0.0, 1.0), "advantage": "externals"}),
    ("eo-mnpo", {"external_weights": (2.0, 1.0), "advantage": "current"}),
]


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_both_interpreters_resolve_sources_alike(name, parameters, policy):
    method = get_method(name, parameters)
    if method.algorithm is None:
        pytest.skip("a pair loss, which the simulator does not run")
    start, externals = policy("start"), (policy("first"), policy("second"))
    count = method.players(3) if method.algorithm.players is None else method.algorithm.players
    players = Players(start, count, externals=externals, magnet_period=method.magnet_period)
    found, results = resolved(method, players, policy)

    scribe = Scribe(results)
    problem = Problem(
        oracles=(),
        log_reference=table(start),
        log_initial=table(start),
        columns=1,
        rewards=np.zeros((ACTIONS, 1)),
        log_externals=np.stack([table(external) for external in externals]),
        log_demonstrations=table(policy("demonstrations")),
    )
    run(method.algorithm, problem, scribe, iterations=ITERATIONS, players=count)

    assert len(scribe.tasks) == len(found) == ITERATIONS * count * len(method.updates(0))
    for task, (update, anchors, opponents) in zip(scribe.tasks, found, strict=True):
        ours = sum(weight * table(checkpoint) for checkpoint, weight in anchors)
        np.testing.assert_allclose(ours, task.anchor, rtol=0, atol=1e-12)
        mixture = sum(weight * mixed(parts) for parts, weight in opponents)
        theirs = task.mixture if update.opponents else task.current.probabilities
        np.testing.assert_allclose(mixture, theirs, rtol=0, atol=1e-12)
        assert sum(weight for _, weight in opponents) == pytest.approx(1, abs=1e-12)
        assert all(weight > 0 for _, weight in opponents)
        shas = [checkpoint.sha256 for checkpoint, _ in anchors]
        assert len(set(shas)) == len(shas)


def mixed(parts) -> np.ndarray:
    weights = np.exp(sum(share * table(checkpoint) for checkpoint, share in parts))
    return weights / weights.sum()


def shares(pairs):
    return {checkpoint.path.name: weight for checkpoint, weight in pairs}


def test_history_before_the_start_is_the_start(policy):
    players = Players(policy("start"), 1)
    update = get_method("mnpo", {"num_players": 4, "step_size": 1, "temperature": 0.1}).updates(0)[
        0
    ]
    assert shares(players.anchors(update, 0, None)) == {"start": pytest.approx(1)}
    players.advance([policy("1")], [None])
    assert shares(players.anchors(update, 0, None)) == {
        "1": pytest.approx(0.3),
        "start": pytest.approx(0.3 + 0.3 + 0.1),
    }
    players.advance([policy("2")], [None])
    players.advance([policy("3")], [None])
    assert shares(players.anchors(update, 0, None)) == {
        "3": pytest.approx(0.3),
        "2": pytest.approx(0.3),
        "1": pytest.approx(0.3),
        "start": pytest.approx(0.1),
    }


def test_the_magnet_jumps_every_period(policy):
    players = Players(policy("start"), 1, magnet_period=2)
    update = Update(anchors=((MAGNET, 1.0),), opponents=((CURRENT, 1.0),), step_size=1.0)
    seen = []
    for t in range(6):
        seen += shares(players.anchors(update, 0, None))
        players.advance([policy(str(t + 1))], [None])
    assert seen == ["start", "start", "2", "2", "4", "4"]


def test_onpo_carries_its_second_sequence(policy):
    method = get_method("onpo")
    players = Players(policy("start"), 1)
    found, _ = resolved(method, players, policy)
    anchors = [next(iter(shares(anchors))) for _, anchors, _ in found]
    sampled = [parts[0][0].path.name for _, _, ((parts, _),) in found]
    assert anchors[:6] == ["start", "0-0-0", "0-0-0", "1-0-0", "1-0-0", "2-0-0"]
    assert sampled[:6] == ["start", "start", "0-0-1", "0-0-1", "1-0-1", "1-0-1"]


def test_other_players_are_a_geometric_base_and_an_arithmetic_opponent(policy):
    players = Players(policy("start"), 3)
    players.advance([policy("a"), policy("b"), policy("c")], [None] * 3)
    update = get_method("mnpo-eq10").updates(1)[0]
    assert shares(players.anchors(update, 1, None)) == {"a": 0.5, "c": 0.5}
    components = players.opponents(update, 1, None)
    assert [(shares(parts), weight) for parts, weight in components] == [
        ({"a": 1.0}, 0.5),
        ({"c": 1.0}, 0.5),
    ]


def test_equal_policies_are_one_policy(policy):
    """Known by hash and not by path: externals that are the start itself, players that agree."""
    twin = policy("start").__class__(policy("elsewhere").path, policy("start").sha256)
    players = Players(policy("start"), 3, externals=(twin,))
    update = Update(
        anchors=((External(0), 0.5), (REFERENCE, 0.25), (OTHER_PLAYERS, 0.5), (CURRENT, -0.25)),
        opponents=((External(0), 0.5), (OTHER_PLAYERS, 0.5)),
        step_size=1.0,
    )
    assert [weight for _, weight in players.anchors(update, 0, None)] == [1.0]
    components = players.opponents(update, 0, None)
    assert [weight for _, weight in components] == [1.0]


def test_weights_that_cancel_leave_nothing(policy):
    players = Players(policy("start"), 1)
    update = Update(
        anchors=((CURRENT, 0.5), (REFERENCE, -0.5)), opponents=((CURRENT, 1.0),), step_size=1.0
    )
    assert players.anchors(update, 0, None) == ()


def test_a_component_that_is_never_drawn_is_left_out(policy):
    players = Players(policy("start"), 1, externals=(policy("x"), policy("y")))
    update = Update(
        anchors=(), opponents=((External(0), 0.0), (External(1), 1.0)), step_size=1.0
    )
    assert [shares(parts) for parts, _ in players.opponents(update, 0, None)] == [{"y": 1.0}]


def test_one_opponent_weighs_exactly_one(policy):
    """So that a sampling stage is found again by a method that names the same policy once."""
    players = Players(policy("start"), 1)
    thirds = Update(
        anchors=(),
        opponents=tuple((History(lag), 0.1) for lag in range(10)),
        step_size=1.0,
    )
    assert sum([0.1] * 10) != 1.0
    assert players.opponents(thirds, 0, None) == (((((policy("start"), 1.0),)), 1.0),)
    parts = Geometric(tuple((History(lag), 0.1) for lag in range(10)))
    geometric = Update(anchors=(), opponents=((parts, 1.0),), step_size=1.0)
    assert players.opponents(geometric, 0, None) == players.opponents(thirds, 0, None)


def test_geometric_anchors_stand_for_their_parts(policy):
    players = Players(policy("start"), 1)
    players.advance([policy("1")], [None])
    parts = Geometric(((CURRENT, 0.75), (REFERENCE, 0.25)))
    update = Update(anchors=((parts, 0.5), (REFERENCE, 0.5)), opponents=(), step_size=1.0)
    assert shares(players.anchors(update, 0, None)) == {"1": 0.375, "start": 0.625}
    nested = Update(anchors=(), opponents=((Geometric(((parts, 1.0),)), 1.0),), step_size=1.0)
    ((mixture, weight),) = players.opponents(nested, 0, None)
    assert (shares(mixture), weight) == ({"1": 0.75, "start": 0.25}, 1.0)


def test_an_external_that_is_not_there_is_named(policy):
    players = Players(policy("start"), 1, externals=(policy("x"),))
    update = Update(anchors=((External(1), 1.0),), opponents=(), step_size=1.0)
    with pytest.raises(InvalidSetting, match="external policy 1 is named and the recipe has 1"):
        players.anchors(update, 0, None)


@pytest.mark.parametrize("source", [MovingAverage(0.9), DEMONSTRATIONS, SOLUTION])
def test_sources_without_a_form_are_refused(source, policy):
    update = Update(anchors=((source, 1.0),), opponents=(), step_size=1.0)
    with pytest.raises(InvalidSetting, match="has no form on language models"):
        Players(policy("start"), 1).anchors(update, 0, None)


def test_intermediates(policy):
    players = Players(policy("start"), 1)
    update = Update(
        anchors=((INTERMEDIATE, 0.5), (PREVIOUS_INTERMEDIATE, 0.5)), opponents=(), step_size=1.0
    )
    assert shares(players.anchors(update, 0, policy("m"))) == {"m": 0.5, "start": 0.5}
    players.advance([policy("1")], [policy("m")])
    assert shares(players.anchors(update, 0, policy("n"))) == {"n": 0.5, "m": 0.5}
    players.advance([policy("2")], [None])
    assert shares(players.anchors(update, 0, policy("n"))) == {"n": 0.5, "m": 0.5}
