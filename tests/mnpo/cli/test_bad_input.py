"""Options that cannot be run: one line that says what and where, exit code 2, nothing written."""

import sys

import pytest

RAY_GONE = """
import sys
sys.modules["ray"] = None
sys.argv = ["mnpo-bench", "simulate", "--executor", "ray", "--output", "out"]
from mnpo.cli import main
main()
"""

OPTIONS = [
    ("--game cyclik", "unknown game 'cyclik'; did you mean 'cyclic'?"),
    ("--game chess", "known: biased-rps, blotto"),
    ("--game ''", "unknown game ''"),
    ("--game file:", "path must be a text"),
    ("--game file:nowhere.csv", "nowhere.csv: no such file"),
    ("--algorithms inpoo", "unknown algorithm 'inpoo'; did you mean 'inpo'?"),
    ("--algorithms inpo,nash_md", "did you mean 'nash-md'?"),
    ("--algorithms inpo,inpo", "--algorithms: algorithm 'inpo' is named twice"),
    ("--algorithms ,", "--algorithms: give at least one algorithm"),
    ("--mode exakt", "--mode must be 'exact', 'gradient', 'sampled' or 'neural', got 'exakt'"),
    ("--iterations -1", "--iterations must be at least 0, got -1"),
    ("--seeds 0", "--seeds must be at least 1, got 0"),
    ("--seed -1", "--seed must be at least 0, got -1"),
    ("--step-size -0.5", "step_size must be above 0 and finite, got -0.5"),
    ("--step-size 0", "step_size must be above 0 and finite, got 0"),
    ("--step-size nan", "step_size must be above 0 and finite, got nan"),
    ("--step-size inf", "step_size must be above 0 and finite, got inf"),
    ("--temperature -0.1", "temperature must be at least 0 and finite, got -0.1"),
    ("--temperature -0.1 --algorithms mwu", "temperature must be at least 0"),
    ("--temperature nan", "temperature must be at least 0 and finite, got nan"),
    ("--temperature inf", "temperature must be at least 0 and finite, got inf"),
    ("--reference 0.5,0.5,0", "action 2 has probability 0; reference needs full support"),
    ("--reference 0.5,0.5", "reference: 2 numbers, but the game has 3 actions"),
    ("--reference 0.5,0.3,0.1", "probabilities sum to 0.9, not 1"),
    ("--reference 0.5,0.7,-0.2", "reference"),
    ("--reference nan,0.5,0.5", "probability of action 0 is nan"),
    ("--reference skwed", "--reference: give auto, uniform, skewed, or one probability"),
    ("--reference 0.5,half,0.2", "--reference: give auto, uniform, skewed"),
    ("--initial 0.5,0.5,0", "action 2 has probability 0; initial needs full support"),
    ("--initial elsewhere", "--initial: give reference, random, or one probability"),
    ("--jobs 0", "--jobs must be at least 1, got 0"),
    ("--jobs -2", "--jobs must be at least 1, got -2"),
    ("--executor dask", "--executor must be local or ray, got 'dask'"),
    ("--config nowhere.yaml", "--config nowhere.yaml: No such file or directory"),
    ("--config .", "--config .: Is a directory"),
]

SET = [
    ("actions", "--set takes key=value, got 'actions'"),
    ("=3", "--set takes key=value, got '=3'"),
    ("actions=[3", "--set actions: cannot read '[3' as a value"),
    ("actons=3", "cannot set unknown setting 'actons'; did you mean 'actions'?"),
    ("nonsense=3", "cannot set unknown setting 'nonsense'; known: actions,"),
    ("game.actons=3", "did you mean 'actions'?"),
    ("inpo.etta=3", "inpo: unknown parameter 'etta'; did you mean 'eta'?"),
    ("comal.inner=3", "'comal' is not among the algorithms of this run"),
    ("imponderable.eta=3", "'imponderable' is not among the algorithms of this run"),
    ("actions=many", "actions must be a whole number from 3"),
    ("actions=-3", "actions must be a whole number from 3"),
    ("strength=2", "game 'cyclic': strength"),
    ("eta=x", "eta must be a number, got 'x'"),
    ("eta=1/0", "eta must be a number, got '1/0'"),
    ("eta=0", "eta"),
    ("eta=.inf", "step_size must be above 0 and finite"),
    ("inpo.tau=-1", "inpo: temperature must be at least 0 and finite, got -1"),
    ("inpo.step_size=x", "inpo: step_size must be a number"),
    ("iterations=3", "cannot set 'iterations': it belongs to the whole run, give it with --iter"),
    ("step_size=3", "give it with --step-size"),
    ("temperature=3", "give it with --temperature"),
    ("keep_policies=true", "give it in a --config file"),
    ("queries=10", "queries is not read in mode exact"),
    ("label_noise=0.5", "label_noise must be in [0, 0.5), got 0.5"),
    ("label_noise=loud", "label_noise must be a number, got 'loud'"),
    ("hidden=many", "hidden must be a whole number, got 'many'"),
    ("optimizer=rmsprop", "optimizer must be 'lbfgs', 'adam' or 'sgd', got 'rmsprop'"),
    ("rewards=1,2", "rewards must be 3 finite numbers"),
    ("rewards=gold", "rewards: give one number for each action"),
    ("externals=3", "externals: give one policy or more"),
    ("externals=0.5,0.5,0", "externals[0]"),
    ("demonstrations=0.5,0.5", "demonstrations"),
    ("history_weights=heavy", "history_weights must be a list of numbers"),
    ("reference_weight=2", "reference_weight"),
]

SWEEPS = [
    ("step_size", "--sweep takes KEY=AXIS, got 'step_size'"),
    ("step_size=", "sweep over 'step_size' has no values"),
    ("step_size=0:1:log:4", "a logarithmic axis needs ends above 0, got '0:1:log:4'"),
    ("step_size=1:2:log", "cannot read '1:2:log'; write LOW:HIGH:log:COUNT"),
    ("step_size=1:2:cubic:3", "cannot read '1:2:cubic:3'"),
    ("step_size=1:2:lin:0", "cannot read '1:2:lin:0'"),
    ("step_size=1:2:lin:3:4", "cannot read '1:2:lin:3:4'"),
    ("step_size=a:b", "cannot read 'a:b'"),
    ("step_size=0.1:0.9", "LOW:HIGH for whole numbers"),
    ("actions=5:3", "cannot read '5:3'"),
    ("step_size=[1", "--sweep step_size: cannot read '[1' as a value"),
    ("step_size=small,big", "step_size must be a number, got ('small', 'big')"),
    ("step_size=-1,1", "step_size must be above 0 and finite, got -1"),
    ("step_size=nan,1", "step_size must be above 0 and finite, got nan"),
    ("temperature=0.1,-1", "temperature must be at least 0 and finite, got -1"),
    ("stepsize=1,2", "cannot sweep unknown setting 'stepsize'; did you mean 'step_size'?"),
    ("=1,2", "cannot sweep unknown setting ''"),
    ("game.actons=3,5", "did you mean 'actions'?"),
    ("comal.inner=1,2", "'comal' is not among the algorithms of this run"),
    ("seed=1,2", "cannot sweep 'seed': it belongs to the whole run, give it with --seed"),
    ("actions=3,two", "actions must be a whole number"),
]

TWICE = [
    ("--set actions=3 --set actions=4", "--set actions is given twice"),
    ("--sweep actions=3,4 --sweep actions=5,6", "--sweep actions is given twice"),
    ("--set actions=3 --sweep actions=3,5", "'game.actions' is both swept and set"),
    ("--set actions=3 --sweep game.actions=3,5", "'game.actions' is both swept and set"),
    ("--set eta=3 --sweep eta=1,2", "'eta' is both swept and set"),
    ("--set inpo.eta=3 --sweep eta=1,2", "'eta' is both swept and set"),
    ("--set inpo.eta=3 --sweep step_size=1,2", "inpo: step_size is swept, and set as well"),
    ("--sweep eta=1,2 --sweep step_size=1,2", "step_size is swept, and set as well"),
    ("--sweep tau=1,2 --sweep temperature=1,2", "temperature is swept, and set as well"),
    ("--set inpo.eta=1 --set inpo.step_size=1", "give one of them"),
    ("--algorithms dpo --sweep step_size=1,2", "no algorithm of this run reads it"),
    ("--game file:x.csv --set path=y.csv", "x.csv"),
]


def words(text: str) -> list[str]:
    import shlex

    return shlex.split(text)


@pytest.mark.parametrize(("options", "said"), OPTIONS, ids=[case[0] for case in OPTIONS])
def test_options(refused, options, said) -> None:
    assert said in refused(*words(options))


@pytest.mark.parametrize(("item", "said"), SET, ids=[case[0] for case in SET])
def test_set(refused, item, said) -> None:
    mode = ("--mode", "gradient") if item.startswith("optimizer") else ()
    assert said in refused("--set", item, *mode)


@pytest.mark.parametrize(("item", "said"), SWEEPS, ids=[case[0] for case in SWEEPS])
def test_sweep(refused, item, said) -> None:
    assert said in refused("--sweep", item)


@pytest.mark.parametrize(("options", "said"), TWICE, ids=[case[0] for case in TWICE])
def test_what_is_given_twice(refused, options, said) -> None:
    assert said in refused(*words(options))


@pytest.mark.parametrize("mode", ["gradient", "sampled", "neural"])
@pytest.mark.parametrize("value", ["x", "[1]", "1.5", "-1", "0", "1e30", "nan"])
def test_queries_are_a_count(refused, mode, value) -> None:
    line = refused("--mode", mode, "--set", f"queries={value}")
    assert line.startswith(("queries must be", "queries is too large"))


def test_a_method_for_annotators_on_a_game_without(refused) -> None:
    line = refused("--algorithms", "ht-mnpo")
    assert "use a game with annotators such as condorcet" in line


def test_ray_that_is_not_installed(program, command, tmp_path) -> None:
    import subprocess

    finished = subprocess.run(
        [sys.executable, "-c", RAY_GONE], capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr == (
        "mnpo-bench: --executor ray needs the extra 'ray': install mnpo-bench[ray]\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.ray
def test_a_ray_cluster_that_does_not_answer(refused, monkeypatch) -> None:
    import socket

    pytest.importorskip("ray")
    with socket.socket() as taken:  # bound, never listening
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
        line = refused("--executor", "ray")
    assert "no Ray cluster answers at RAY_ADDRESS=127.0.0.1:" in line


def test_the_program_refuses_as_well(program, tmp_path) -> None:
    outcome = program("simulate", "--game", "cyclik", "--output", "out")
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("mnpo-bench: unknown game 'cyclik'; did you mean 'cyclic'?")
    assert not list(tmp_path.iterdir())


def test_a_refused_command_does_not_touch_an_older_run(bench, tmp_path) -> None:
    assert bench("simulate", "--algorithms", "mwu", "--iterations", 3, "--output", "out").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for options in ("--temperature -1", "--game cyclik", "--set x=1", "--reference 1,2,3"):
        assert bench("simulate", "--output", "out", *words(options)).code == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
