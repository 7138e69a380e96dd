"""What `simulate` and `simulate_batch` accept, how it is read, and what is refused."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting, UserError
from simulators.dynamics.modes import Mode
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.games import make_game

Array = NDArray[np.float64]

RPS = make_game("cyclic").preferences
REF = [0.6, 0.3, 0.1]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("inpo", {"stepsize": 1.0}, "inpo: unknown parameter 'stepsize'; did you mean 'step_size'"),
    ("inpo", {"querys": 5}, "inpo: unknown parameter 'querys'; did you mean 'queries'?"),
    ("spin", {"demonstration": REF}, "did you mean 'demonstrations'?"),
    ("inpo", {"step_size": -0.5}, "step_size must be a finite number of at least 0, got -0.5"),
    ("inpo", {"step_size": 0.0}, "inpo: step_size must be above 0 and finite, got 0"),
    ("inpo", {"temperature": -0.1}, "temperature must be a finite number of at least 0, got -0.1"),
    ("inpo", {"temperature": float("inf")}, "temperature must be a finite number"),
    ("inpo", {"step_size": "fast"}, "step_size must be a number, got 'fast'"),
    ("inpo", {"iterations": -1}, "iterations must be at least 0, got -1"),
    ("inpo", {"mode": "exakt"}, "unknown mode 'exakt'; did you mean 'exact'?"),
    ("inpo", {"queries": 10}, "queries is not read in mode exact (only in gradient, sampled, neu"),
    ("inpo", {"ridge": 2.0, "mode": "gradient"}, "ridge is not read in mode gradient (only in sam"),
    ("inpo", {"hidden": 8, "mode": "gradient"}, "hidden is not read in mode gradient (only in neu"),
    (
        "inpo",
        {"optimizer": "sgd"},
        "optimizer is not read in mode exact (only in gradient, neur",
    ),
    (
        "inpo",
        {"gradient_steps": 3, "mode": "sampled"},
        "gradient_steps is not read in mode sampled",
    ),
    ("inpo", {"learning_rate": 0.1}, "learning_rate is not read in mode exact"),
    ("inpo", {"pair_weights": "uniform"}, "pair_weights is not read in mode exact"),
    ("inpo", {"annotator_sampling": "iteration"}, "annotator_sampling is not read in mode exact"),
    ("inpo", {"queries": 0, "mode": "sampled"}, "queries must be at least 1, got 0"),
    ("inpo", {"label_noise": 0.5}, "label_noise must be in [0, 0.5), got 0.5"),
    ("inpo", {"label_noise": -0.1}, "label_noise must be in [0, 0.5), got -0.1"),
    ("inpo", {"label_noise": "much"}, "label_noise must be a number, got 'much'"),
    ("inpo", {"queries": 2.5, "mode": "sampled"}, "queries must be a whole number or none, got 2."),
    ("inpo", {"ridge": 0.0, "mode": "sampled"}, "ridge must be above 0, got 0"),
    ("inpo", {"hidden": 0, "mode": "neural"}, "hidden must be at least 1, got 0"),
    (
        "inpo",
        {"annotator_sampling": "some", "mode": "sampled"},
        "annotator_sampling must be each or iteration, got 'some'",
    ),
    (
        "inpo",
        {"annotator_sampling": "iteration", "mode": "gradient"},
        "annotator_sampling=iteration needs queries to be sampled",
    ),
    (
        "inpo",
        {"annotator_sampling": "iteration", "mode": "sampled"},
        "annotator_sampling=iteration needs annotators; game 'matrix' has none",
    ),
    ("inpo", {"mode": "gradient", "optimizer": "rms"}, "optimizer must be lbfgs, adam or sgd"),
    ("inpo", {"mode": "gradient", "gradient_steps": 0}, "gradient steps per update must be at lea"),
    ("inpo", {"mode": "gradient", "learning_rate": 0.0}, "learning_rate must be above 0, got 0"),
    ("inpo", {"mode": "gradient", "pair_weights": "x"}, "pair_weights must be sampler or uniform"),
    ("inpo", {"mode": "neural"}, "mode neural needs a game whose contexts have features"),
    ("comal", {"mode": "gradient"}, "an exact proximal step has no gradient form; set inner to a"),
    ("comal", {"mode": "sampled"}, "an exact proximal step cannot be sampled; set inner to a num"),
    ("onpo", {"mode": "gradient", "queries": 9}, "reads exact win rates; leave out queries"),
    ("ht-mnpo", {}, "ht-mnpo gives each player an annotator of its own, and game 'matrix' has n"),
    ("eo-mnpo", {"rewards": [1, 2, 3]}, "external policy 0 is named and 0 are given; give extern"),
    ("eo-mnpo", {"externals": [REF]}, "the advantage is a scalar reward and the game has none"),
    (
        "eo-mnpo",
        {"externals": [REF], "external_weights": (1, 1), "rewards": [1, 2, 3]},
        "external policy 1 is named and 1 are given",
    ),
    ("eo-mnpo", {"externals": [REF], "rewards": [1, 2]}, "rewards must be 3 finite numbers, one"),
    ("mnpo", {"advantage": "reward"}, "the advantage is a scalar reward and the game has none"),
    ("spin", {}, "this method imitates demonstrations and none are given; give demonstrations"),
    ("inpo", {"initial": [REF, REF]}, "initial has 2 policies for 1 player(s)"),
    ("mnpo-eq10", {"initial": [REF, REF]}, "initial has 2 policies for 3 player(s)"),
    ("inpo", {"initial": "anywhere"}, "initial must be a policy or 'random', got 'anywhere'"),
]


@pytest.mark.parametrize(("name", "given", "message"), REFUSED)
def test_refused_in_one_line(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)) as error:
        simulate(RPS, name, **{"iterations": 2} | given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", ["reference", "initial", "demonstrations"])
@pytest.mark.parametrize("policy", [[0.5, 0.5], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0], [2, -1, 0]])
def test_bad_policies_are_named(field: str, policy: list[float]) -> None:
    with pytest.raises(InvalidPolicy, match=field):
        simulate(RPS, "spin", **{"demonstrations": REF, "iterations": 1} | {field: policy})


def test_bad_matrices_are_refused() -> None:
    with pytest.raises(InvalidGame):
        simulate(RPS[:2], "inpo")
    with pytest.raises(InvalidGame):
        simulate(RPS + 0.1, "inpo")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings("inpo", step_size=[0.1, 0.2], temperature=[0.1, 0.2, 0.3]), "must have one len"),
        (Settings("inpo", step_size=[0.1, 0.2], seeds=(1, 2, 3)), "must have one length"),
    ],
)
def test_batches_of_unequal_lengths(settings: Settings, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        simulate_batch(make_game("cyclic"), settings)


def test_batches_of_unlike_games() -> None:
    games = [make_game("cyclic"), make_game("cyclic", actions=5)]
    with pytest.raises(InvalidSetting, match="equally many actions and contexts"):
        simulate_batch(games, Settings("inpo"))
    crowd = [make_game("plackett-luce", players=n) for n in (3, 4)]
    with pytest.raises(InvalidSetting, match="one-vs-many games are run one game at a time"):
        simulate_batch(crowd, Settings("inpo"))


def test_contextual_policies_need_a_row_for_each_context() -> None:
    game = make_game("contextual", contexts=4, actions=3)
    with pytest.raises(InvalidSetting, match="the reference has 2 rows and the game 4 contexts"):
        simulate(game, "inpo", reference=[REF, REF])


def test_one_vs_many_games_run_exactly_only() -> None:
    crowd = make_game("plackett-luce", players=4)
    for mode in ("sampled", "gradient"):
        with pytest.raises(UserError, match="use mode exact"):
            simulate(crowd, "inpo", mode=mode, iterations=1)
    with pytest.raises(InvalidSetting, match="label_noise is defined for pairwise games only"):
        simulate(crowd, "inpo", label_noise=0.1)
    with pytest.raises(InvalidSetting, match="proximal step needs a pairwise game"):
        simulate(crowd, "comal", iterations=1)


@pytest.mark.parametrize(
    ("name", "own", "common"),
    [
        ("inpo", {"eta": 2.5, "tau": 0.3}, {"step_size": 0.4, "temperature": 0.3}),
        ("egpo", {"eta": 0.4, "beta": 0.3}, {"step_size": 0.4, "temperature": 0.3}),
        ("mmd", {"eta": 0.4, "alpha": 0.3}, {"step_size": 0.4, "temperature": 0.3}),
        ("dpo", {"beta": 2.0}, {"temperature": 2.0}),
        ("mwu", {"eta": 0.4}, {"step_size": 0.4}),
    ],
)
def test_a_papers_own_parameters_give_the_same_run_and_the_same_row(
    name: str, own: dict[str, Any], common: dict[str, Any]
) -> None:
    """Also the game the run is judged in: its temperature is the method's."""
    found = simulate(RPS, name, reference=REF, iterations=40, **own)
    wanted = simulate(RPS, name, reference=REF, iterations=40, **common)
    assert np.array_equal(found.policies, wanted.policies)
    assert str(found.summary()) == str(wanted.summary())


def test_defaults() -> None:
    result = simulate(RPS, "inpo")
    assert result.policies.shape == (61, 3)
    assert np.array_equal(result.policies[0], np.full(3, 1 / 3))  # no reference means uniform
    assert simulate(RPS, "inpo", reference=REF).policies[0] == pytest.approx(REF)
    still = simulate(RPS, "inpo", reference=REF, iterations=0)
    assert still.last == pytest.approx(REF)
    assert still.average == pytest.approx(REF)
    assert still.verdict == "undecided"


def test_random_starts_come_from_the_seed() -> None:
    runs = [simulate(RPS, "mwu", initial="random", seed=s, iterations=1) for s in (1, 1, 2)]
    assert np.array_equal(runs[0].policies, runs[1].policies)
    assert not np.allclose(runs[0].policies[0], runs[2].policies[0])
    batch = simulate_batch(
        make_game("cyclic"),
        Settings("mwu", initial="random", seeds=(2, 1), iterations=1),
        keep_policies=True,
    )
    assert batch.recorder.trajectory is not None
    assert np.allclose(batch.recorder.trajectory[:, 0, :, 1], runs[0].policies, atol=1e-15)


def test_a_mode_that_samples() -> None:
    assert Mode("sampled").queries_per_update == 100
    assert Mode("gradient").queries_per_update == 0
    assert not Mode("gradient").samples
    assert Mode("gradient", queries=7).samples
