"""From a configuration to jobs."""

import itertools

import numpy as np
import pytest

from mnpo.errors import InvalidSetting, UserError
from simulators import make_game
from simulators.study import plan as planning
from simulators.study.config import parse_config
from simulators.study.plan import Plan, make_plan, skewed_policy, uniform_is_equilibrium


def plan_of(**values: object) -> Plan:
    return make_plan(parse_config({"iterations": 2, **values}))


def test_a_job_for_each_algorithm() -> None:
    plan = plan_of(algorithms=["inpo", "mwu"], seeds=3)
    assert [job.algorithm for job in plan.jobs] == ["inpo", "mwu"]
    assert [job.runs for job in plan.jobs] == [3, 3]
    assert plan.runs == 6
    assert plan.run_iterations == 12


def test_steps_temperatures_and_seeds_share_a_batch() -> None:
    (job,) = plan_of(
        algorithms=["inpo"],
        seeds=2,
        seed=7,
        sweep={"temperature": [0.1, 0.2], "step_size": [0.3, 0.4]},
    ).jobs
    points = list(zip(job.step_sizes, job.temperatures, job.seeds, strict=True))
    assert points == list(itertools.product([0.3, 0.4], [0.1, 0.2], [7, 8]))


def test_other_axes_are_jobs_of_their_own() -> None:
    jobs = plan_of(
        algorithms=["mnpo", "inpo"],
        sweep={"actions": [3, 5], "reference_weight": [0.1, 0.2], "mnpo.players": [2, 3]},
    ).jobs
    axes = [(job.algorithm, *job.axes.values()) for job in jobs]
    assert axes == [
        *itertools.product(["mnpo"], [3, 5], [0.1, 0.2], [2, 3]),
        ("inpo", 3),
        ("inpo", 5),
    ]
    assert [dict(job.game_parameters[0]) for job in jobs[-2:]] == [{"actions": 3}, {"actions": 5}]
    assert jobs[-1].parameters == {}
    assert jobs[0].parameters == {"num_players": 2, "reference_weight": 0.1}


def test_paper_parameters_set_the_step_and_the_temperature() -> None:
    inpo, mwu = plan_of(
        algorithms=["inpo", "mwu"], parameters={"eta": 4}, algorithm_parameters={"inpo": {"tau": 2}}
    ).jobs
    assert (inpo.step_sizes, inpo.temperatures) == ((0.25,), (2.0,))
    assert (mwu.step_sizes, mwu.temperatures) == ((4.0,), (0.1,))
    assert inpo.parameters == mwu.parameters == {}


def test_an_axis_of_one_algorithm_overrides_what_all_are_given() -> None:
    jobs = plan_of(
        algorithms=["inpo", "mwu"], parameters={"eta": 4}, sweep={"inpo.eta": [1, 2]}
    ).jobs
    assert [(job.algorithm, job.step_sizes) for job in jobs] == [
        ("inpo", (1.0,)),
        ("inpo", (0.5,)),
        ("mwu", (4.0,)),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"parameters": {"eta": 4}, "sweep": {"step_size": [1, 2]}},
        {"parameters": {"tau": 4}, "sweep": {"temperature": [1, 2]}},
        {"sweep": {"eta": [1, 2], "step_size": [1, 2]}},
        {"algorithm_parameters": {"inpo": {"eta": 4}}, "sweep": {"eta": [1, 2]}},
        {"algorithm_parameters": {"inpo": {"eta": 4}}, "sweep": {"inpo.eta": [1, 2]}},
        {"sweep": {"eta": [1, 2], "inpo.eta": [1, 2]}},
        {"game_parameters": {"actions": 3}, "sweep": {"actions": [3, 5]}},
        {"game_parameters": {"actions": 3}, "sweep": {"game.actions": [3, 5]}},
        {"sweep": {"actions": [3, 5], "game.actions": [3, 5]}},
    ],
)
def test_what_is_given_twice_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting, match=r"give it once$"):
        plan_of(algorithms=["inpo"], **values)


def test_random_families_have_a_game_for_each_seed() -> None:
    (job,) = plan_of(game="random-skew", algorithms=["mwu"], seeds=2, seed=5).jobs
    assert [dict(parameters) for parameters in job.game_parameters] == [{"seed": 5}, {"seed": 6}]
    for game, seed in zip(job.games(), (5, 6), strict=True):
        expected = make_game("random-skew", seed=seed).preferences
        np.testing.assert_array_equal(game.preferences, expected)
    (fixed,) = plan_of(
        game="random-skew", algorithms=["mwu"], seeds=2, game_parameters={"seed": 9}
    ).jobs
    assert fixed.game_parameters == ({"seed": 9},)


def test_chunks_hold_every_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "game": "random-skew",
        "algorithms": ["inpo"],
        "seeds": 5,
        "sweep": {"step_size": [0.1, 0.2]},
    }
    (whole,) = plan_of(**values).jobs
    monkeypatch.setattr(planning, "MAX_RUNS", 3)
    parts = plan_of(**values).jobs
    assert [job.runs for job in parts] == [3, 3, 3, 1]
    for name in ("step_sizes", "temperatures", "seeds", "game_parameters"):
        assert sum((getattr(job, name) for job in parts), ()) == getattr(whole, name)
    monkeypatch.setattr(planning, "MAX_RUN_ITERATIONS", 3)  # two iterations each
    assert [job.runs for job in plan_of(**values).jobs] == [1] * 10


def test_long_studies_keep_less(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"algorithms": ["mwu"], "iterations": 10}
    (job,) = plan_of(**values).jobs
    assert (job.keep_policies, job.thin) == (True, False)
    assert plan_of(**values, keep_policies=False).jobs[0].keep_policies is False
    monkeypatch.setattr(planning, "MAX_POLICY_ENTRIES", 32)  # 11 policies of 3 are 33
    monkeypatch.setattr(planning, "MAX_TRAJECTORY_ROWS", 10)
    (job,) = plan_of(**values).jobs
    assert (job.keep_policies, job.thin) == (False, True)
    assert plan_of(**values, keep_policies=True).jobs[0].keep_policies is True


@pytest.mark.parametrize(
    ("game", "parameters", "expected"),
    [
        ("cyclic", {}, True),
        ("cyclic", {"actions": 5}, True),
        ("biased-rps", {}, False),
        ("bradley-terry", {}, False),
        ("tie", {}, False),  # nothing to play: the start does not matter
        ("contextual", {}, False),
        ("plackett-luce", {}, True),
        ("plackett-luce", {"weights": [0.5, 0.3, 0.2]}, False),
    ],
)
def test_where_the_uniform_policy_would_rest(
    game: str, parameters: dict[str, object], expected: bool
) -> None:
    assert uniform_is_equilibrium(make_game(game, **parameters)) is expected


def test_the_skewed_reference_is_taken_and_told() -> None:
    assert skewed_policy(3) == (3 / 6, 2 / 6, 1 / 6)
    plan = plan_of(algorithms=["inpo"])
    assert plan.jobs[0].reference == skewed_policy(3)
    assert "the uniform policy is an equilibrium of this game already" in plan.warnings[0]
    uniform = plan_of(algorithms=["inpo"], reference="uniform")
    assert uniform.jobs[0].reference is None
    assert uniform.warnings == []
    assert plan_of(algorithms=["inpo"], game="disc", reference="skewed").warnings == []
    assert plan_of(algorithms=["inpo"], game="biased-rps").jobs[0].reference is None


def test_seeds_without_randomness_are_told() -> None:
    assert "no randomness" in plan_of(algorithms=["inpo"], seeds=2).warnings[-1]
    for values in (
        {"mode": "sampled"},
        {"initial": "random"},
        {"game": "random-skew"},
        {"mode": "gradient", "parameters": {"queries": 10}},
        {"mode": "neural", "game": "contextual", "game_parameters": {"contexts": 2, "seed": 0}},
    ):
        warnings = plan_of(algorithms=["inpo"], seeds=2, **values).warnings
        assert not any("no randomness" in line for line in warnings)


@pytest.mark.parametrize(
    "values",
    [
        {"game": "cyclik"},
        {"algorithms": ["inpoo"]},
        {"reference": [0.5, 0.5]},
        {"reference": [0.5, 0.5, 0.0]},
        {"initial": [0.5, 0.5]},
        {"step_size": -1},
        {"temperature": -1},
        {"step_size": float("nan")},
        {"temperature": float("inf")},
        {"sweep": {"temperature": [0.1, -1]}},
        {"sweep": {"step_size": [0.1, float("inf")]}},
        {"parameters": {"etta": 1}},
        {"parameters": {"queries": 10}},
        {"parameters": {"step_size": 1}},
        {"algorithm_parameters": {"inpo": {"etta": 1}}},
        {"algorithm_parameters": {"comal": {"inner": 1}}},
        {"algorithms": ["ht-mnpo"]},
        {"algorithms": ["eo-mnpo"], "parameters": {"externals": [[1, 2]]}},
    ],
)
def test_what_cannot_run_is_refused_before_it_is_run(values: dict[str, object]) -> None:
    with pytest.raises(UserError) as caught:
        plan_of(**{"algorithms": ["inpo"], **values})
    assert "\n" not in str(caught.value)
