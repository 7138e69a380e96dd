"""The loop's interpretation of sources against the simulator's, on tables instead of models."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

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
from mnpo.training import methods
from mnpo.training.ledger import Ledger as Counts
from mnpo.training.methods import get_method, list_methods
from mnpo.training.online.players import Players
from simulators.dynamics.loop import run
from simulators.dynamics.problem import Ledger, Problem

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


def resolved(method, policy, iterations=ITERATIONS, **recipe):
    """The tasks of the very loop, whose results are checkpoints in name only."""
    from mnpo.training.online.loop import run_method
    from mnpo.training.online.update import UpdateResult
    from mnpo.training.recipe import BudgetSettings

    budget = BudgetSettings(iterations=iterations, **recipe)
    bench = SimpleNamespace(
        recipe=SimpleNamespace(budget=budget),
        start=policy("start"),
        externals=(policy("first"), policy("second")),
        oracle="everybody's",
        annotators=("anna", "bert", "cleo")[: method.algorithm.players],
        parts=lambda seed: tuple(
            tuple(f"prompt {t}-{i}" for i in range(budget.prompts)) for t in range(iterations)
        ),
    )
    tasks, results = [], []

    def carry_out(bench, task):
        tasks.append(task)
        results.append(policy(f"result {len(tasks) - 1}"))
        return UpdateResult(results[-1], Path("log"), Counts(prompts=len(task.prompts)), {})

    trained = run_method(bench, method, 7, carry_out)
    return tasks, results, trained


_WITH_PARAMETERS = ("comal", "mpo", "eo-mnpo", "ht-mnpo")
CASES = [
    *(
        (name, {})
        for name in list_methods()
        if name not in (*_WITH_PARAMETERS, *methods._PAIR_LOSSES)
    ),
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


@pytest.mark.parametrize(("method_name", "parameters"), CASES)
def test_both_interpreters_resolve_sources_alike(method_name, parameters, policy):
    method = get_method(method_name, parameters)
    start, externals = policy("start"), (policy("first"), policy("second"))
    tasks, results, trained = resolved(method, policy)
    count = len(trained.policies)

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

    assert len(scribe.tasks) == len(tasks) == ITERATIONS * count * len(method.updates(0))
    for theirs, ours in zip(scribe.tasks, tasks, strict=True):
        anchor = sum(weight * table(checkpoint) for checkpoint, weight in ours.anchors)
        np.testing.assert_allclose(anchor, theirs.anchor, rtol=0, atol=1e-12)
        drawn = sum(weight * mixed(parts) for parts, weight in ours.opponents)
        opponents = theirs.mixture if theirs.opponents else theirs.current.probabilities
        np.testing.assert_allclose(drawn, opponents, rtol=0, atol=1e-12)
        np.testing.assert_allclose(table(ours.current), theirs.current.log, atol=1e-12)
        assert ours.update.step_size == theirs.step_size
        assert ours.update.distance == theirs.distance
        assert (ours.update.advantage == "reward") == (theirs.rewards is not None)
        assert (ours.update.winners is None) == (theirs.winners is None)
        assert sum(weight for _, weight in ours.opponents) == pytest.approx(1, abs=1e-12)
        assert all(weight > 0 for _, weight in ours.opponents)
        shas = [checkpoint.sha256 for checkpoint, _ in ours.anchors]
        assert len(set(shas)) == len(shas)


def mixed(parts) -> np.ndarray:
    weights = np.exp(sum(share * table(checkpoint) for checkpoint, share in parts))
    return weights / weights.sum()


def name(checkpoint) -> str:
    return checkpoint.path.name


def shares(pairs):
    return {name(checkpoint): weight for checkpoint, weight in pairs}


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
    tasks, _, trained = resolved(get_method("onpo"), policy)
    anchors = [name(task.anchors[0][0]) for task in tasks]
    sampled = [name(parts[0][0]) for task in tasks for parts, _ in task.opponents]
    assert anchors[:6] == ["start", "result 0", "result 0", "result 2", "result 2", "result 4"]
    assert sampled[:6] == ["start", "start", "result 1", "result 1", "result 3", "result 3"]
    assert [name(p) for p in trained.policies[0][:3]] == ["start", "result 1", "result 3"]


@pytest.mark.parametrize(
    ("method_name", "parameters", "parts"),
    [("inpo", {}, 1), ("egpo", {}, 2), ("mnpo-eq10", {"num_players": 3}, 3), ("ht-mnpo", {}, 3)],
)
def test_players_and_updates_share_an_iterations_prompts(method_name, parameters, parts, policy):
    tasks, _, trained = resolved(
        get_method(method_name, parameters), policy, iterations=2, prompts=12
    )
    for t in range(2):
        own = [prompt for task in tasks[t * parts : (t + 1) * parts] for prompt in task.prompts]
        assert sorted(own) == sorted(f"prompt {t}-{i}" for i in range(12))
    assert {len(task.prompts) for task in tasks} == {12 // parts}
    assert trained.ledger.prompts == 24
    whole, _, trained = resolved(
        get_method(method_name, parameters), policy, iterations=2, prompts=12, share_out=False
    )
    assert {len(task.prompts) for task in whole} == {12}
    assert trained.ledger.prompts == 24 * parts


def test_prompts_that_do_not_go_round_are_refused(policy):
    with pytest.raises(InvalidSetting, match="egpo shares an iteration's prompts"):
        resolved(get_method("egpo"), policy, prompts=1)


def test_streams_are_apart_and_the_same_for_every_method(policy):
    """Equal seeds are what lets two methods find one stage of samples."""
    tasks, *_ = resolved(get_method("mnpo-eq10", {"num_players": 3}), policy)
    seeds = [task.seed for task in tasks]
    assert len(set(seeds)) == len(seeds)
    inpo, *_ = resolved(get_method("inpo"), policy)
    mwu, *_ = resolved(get_method("mwu"), policy)
    assert [task.seed for task in inpo] == [task.seed for task in mwu]
    assert (inpo[0].opponents, inpo[0].prompts) == (mwu[0].opponents, mwu[0].prompts)


def test_each_player_of_a_heterogeneous_method_asks_its_own_oracle(policy):
    tasks, *_ = resolved(get_method("ht-mnpo"), policy, iterations=2, prompts=3)
    assert [task.oracle for task in tasks] == ["anna", "bert", "cleo"] * 2
    alike, *_ = resolved(get_method("mnpo-eq10"), policy, iterations=1, prompts=3)
    assert {task.oracle for task in alike} == {"everybody's"}


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
    update = Update(anchors=(), opponents=((External(0), 0.0), (External(1), 1.0)), step_size=1.0)
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
