"""`train` and `train-all` as a user meets them, on a model of a few thousand weights."""

import csv
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_recipe import small_values

import mnpo
import mnpo.training.runs.jobs
from mnpo.training.recipes import load_recipe

#: `train-all` that ends with the training; tests/mnpo/cli/test_chain.py has what follows.
TRAIN = ("--until", "train")


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("small")
    return lambda **changes: small_values(folder, **changes)


@pytest.fixture
def small(values, tmp_path: Path) -> str:
    """A recipe file with two methods, one iteration."""
    methods = {"inpo": {}, "dpo": {"temperature": 0.2}}
    whole = values(methods=methods, budget={"iterations": 1, "prompts": 8})
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    return "small.yaml"


def tree(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*")}


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("command", ["train", "train-all"])
def test_help_fits_a_terminal_and_its_examples_can_be_run(bench, command: str) -> None:
    outcome = bench(command, "--help")
    assert outcome.code == 0
    assert f"Usage: mnpo-bench {command}" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    _, _, examples = outcome.out.partition("Examples")
    commands = " ".join(examples.split()).split("mnpo-bench ")[1:]
    assert len(commands) == 3
    from mnpo.cli.training import load

    for words in map(str.split, commands):
        given = dict(itertools.pairwise(words))
        chosen = given.get("--methods", "").split(",") if "--methods" in given else None
        chosen = [words[1]] if words[0] == "train" else chosen
        sets = [b for a, b in itertools.pairwise(words) if a == "--set"]
        load(given.get("--recipe", "tiny"), sets, chosen, None)  # refuses what cannot be


def test_all_the_way(bench, small, tmp_path: Path) -> None:
    first = bench("train-all", "--recipe", small, "--output", "out", *TRAIN)
    assert first.code == 0, first.err
    for shown in ("together, shared work once", "training: 20 prompts", "disk: 2 checkpoints"):
        assert shown in first.err
    assert "Traceback" not in first.err
    for shown in ("ledger", "cross-play", "inpo-seed-0", "dpo-seed-0", "sft", "out/policies"):
        assert shown in first.out
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        *("run.yaml", "manifest.json", "policies", "ledger.csv", "training.csv", "results.csv"),
        *("crossplay.csv", "crossplay.md", "crossplay-wins.parquet", "summary.json"),
    }
    results = rows(tmp_path / "out" / "results.csv")
    assert list(results[0]) == [
        *("run", "algorithm", "iteration", "seed", "benchmark", "metric", "value", "low"),
        *("high", "n", "clusters", "judge", "hashes"),
    ]
    wanted = ("inpo", "win_rate/against/sft", "brevity-3")
    (wins,) = (r for r in results if (r["algorithm"], r["metric"], r["judge"]) == wanted)
    assert (wins["run"], wins["iteration"], wins["seed"], wins["n"]) == ("out", "1", "0", "4")
    curve = rows(tmp_path / "out" / "training.csv")
    last = [row for row in curve if row["method"] == "inpo"][-1]
    (kl,) = (r for r in results if (r["algorithm"], r["metric"]) == ("inpo", "kl"))
    assert float(kl["value"]) == float(last["kl"])

    before = tree(tmp_path / "out")
    again = bench("train-all", "--recipe", "out/run.yaml", "--output", "out", *TRAIN)
    assert again.code == 0, again.err
    assert again.err == ""
    tables = first.out.partition("policies:")[0]
    assert again.out.startswith(tables)
    assert "the run was finished before" in again.out
    assert tree(tmp_path / "out") == before

    words = ("train-all", "--recipe", "out", "--output", "out", "--json", *TRAIN)
    summary = json.loads(bench(*words).out)
    shown = {own["name"]: own["win_rate_against_start"] for own in summary["policies"]}
    assert shown["inpo-seed-0"]["value"] == float(wins["value"])
    assert shown["sft"] is None


def test_one_method_takes_its_folder_from_what_it_depends_on(bench, small, tmp_path: Path) -> None:
    outcome = bench("train", "dpo", "--recipe", small, "--seed", 3, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"small-dpo-[0-9a-f]{8}", folder.name)
    assert json.loads(outcome.out)["run"] == folder.name
    assert [path.name for path in (folder / "policies").iterdir()] == ["dpo-seed-3"]
    recipe = load_recipe(str(folder))
    assert recipe.seeds == (3,)
    assert recipe.methods == {"dpo": {"temperature": 0.2}}


@pytest.mark.parametrize("words", [["train", "inpo"], ["train-all", "--seeds", "2", *TRAIN]])
def test_a_dry_run_plans_and_writes_nothing(bench, small, tmp_path: Path, words) -> None:
    before = tree(tmp_path)
    outcome = bench(*words, "--recipe", small, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "would write to runs/small-" in outcome.out
    assert re.search(r"time: about \d+ s in one process", outcome.out)
    responses = 24 if words[0] == "train" else 2 * 24  # the methods share the first samples
    assert re.search(rf"together.*│ +{responses} │", outcome.out)
    assert tree(tmp_path) == before
    planned = json.loads(bench(*words, "--recipe", small, "--dry-run", "--json").out)
    assert planned["together"]["at_most"]["responses"] == responses


def test_a_method_that_fails_is_named_and_the_others_are_kept(bench, small, tmp_path: Path) -> None:
    outcome = bench(
        *("train-all", "--recipe", small, "--output", "out", "--json", *TRAIN),
        *("--set", "methods.dpo.temperature=1e-300"),
    )
    assert outcome.code == 1, outcome
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("mnpo-bench: dpo, seed 0, failed: ")
    summary = json.loads(outcome.out)
    assert [own["method"] for own in summary["runs"]] == ["inpo"]
    assert summary["failed"][0][:2] == ["dpo", 0]


def test_ctrl_c(bench, small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = mnpo.training.runs.jobs.run_method

    def interrupted(bench, method, seed):
        if method.name == "dpo":
            raise KeyboardInterrupt
        return true(bench, method, seed)

    monkeypatch.setattr(mnpo.training.runs.jobs, "run_method", interrupted)
    words = ("train-all", "--recipe", small, "--output", "out", *TRAIN)
    stopped = bench(*words, "--json")
    assert stopped.code == 130
    assert stopped.out == ""
    assert stopped.err == (
        "mnpo-bench: interrupted; finished stages are kept in out, the same command goes on\n"
    )
    monkeypatch.setattr(mnpo.training.runs.jobs, "run_method", true)
    outcome = bench(*words)
    assert outcome.code == 0, outcome.err
    assert "1 of 2 runs were finished before and taken over" in outcome.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train inpoo", "unknown method 'inpoo'; did you mean 'inpo'?"),
        ("train nash-ema", "nash-ema has no form on language models"),
        ("train eo-mnpo", "it needs 1 under externals and the recipe names 0"),
        ("train comal", "set inner to a number of steps"),
        ("train inpo dpo", "unexpected extra argument(s) (dpo)"),
        ("train inpo --recipe tinny", "unknown recipe 'tinny'; did you mean 'tiny'?"),
        ("train inpo --recipe nowhere.yaml", "nowhere.yaml: No such file or directory"),
        ("train inpo --seed -1", "--seed"),
        ("train inpo --set optimizer.learning_rat=1", "did you mean 'learning_rate'?"),
        ("train inpo --set optimizer.learning_rate=-1", "must be greater than 0, got -1"),
        ("train inpo --set budget.prompts", "--set takes key=value, got 'budget.prompts'"),
        ("train inpo --set seeds=1 --set seeds=2", "--set seeds is given twice"),
        ("train inpo --set method_defaults.etta=1", "method_defaults: no method reads 'etta'"),
        ("train inpo --set methods.inpo.step_size=big", "step_size must be a number"),
        ("train inpo --set methods.inpo.eta=0", "eta is an inverse step here and must not be 0"),
        ("train inpo --set budget.prompts=11 --set budget.iterations=2", "there are 20"),
        ("train inpo --set data.prompts=nowhere.jsonl", "nowhere.jsonl"),
        ("train inpo --set model.name=./nowhere", "model './nowhere': no such folder"),
        ("train ht-mnpo --set annotators=[]", "name at least two under annotators"),
        ("train inpo --output taken", "taken is not empty and holds no run"),
        ("train-all --methods inpo,inpo", "method 'inpo' is named twice"),
        ("train-all --methods ,", "give at least one method"),
        ("train-all --methods inpo,dop", "unknown method 'dop'"),
        ("train-all --seeds 0", "--seeds"),
        ("train-all --jobs 0", "--jobs must be at least 1, got 0"),
        ("train-all --executor dask", "--executor must be local or ray, got 'dask'"),
    ],
)
def test_bad_input_is_one_line(bench, small, tmp_path: Path, words: str, said: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    before = tree(tmp_path)
    given = words.split()
    if "--recipe" not in given:
        given += ["--recipe", small]
    outcome = bench(*given)
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert len(outcome.errors) == 1, outcome.err
    assert outcome.errors[0].startswith("mnpo-bench: ")
    assert said in outcome.errors[0]
    assert tree(tmp_path) == before, "something was written"


def test_a_game_of_the_simulator_as_the_oracle() -> None:
    from mnpo.cli.training import find_game
    from mnpo.errors import UserError
    from simulators import make_game

    found = find_game("cyclic", {"actions": 5})
    assert (found == make_game("cyclic", actions=5).preferences).all()
    with pytest.raises(UserError, match="did you mean 'cyclic'"):
        find_game("cyclik", {})


@pytest.mark.ray
@pytest.mark.slow
def test_methods_as_tasks_of_a_local_ray(
    program, bench, small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
    words = ("train-all", "--recipe", small, "--json", *TRAIN)
    here = json.loads(bench(*words, "--output", "here").out)
    outcome = program(*words, "--output", "there", "--executor", "ray", "--jobs", 1)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    there = json.loads(outcome.out)
    assert there["policies"] == here["policies"]
    samples = list((tmp_path / "there" / "stages").glob("sample-*/stage.json"))
    played = 3  # policies of the cross-play
    assert len(samples) == 1 + played


@pytest.mark.slow
def test_two_launched_processes_speak_with_one_voice(small, tmp_path: Path) -> None:
    def launch(*words: str) -> subprocess.CompletedProcess[str]:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
        return subprocess.run(
            [*launcher, "-m", "mnpo.cli", *words, "--recipe", small, "--json"],
            env=os.environ | {"ACCELERATE_USE_CPU": "true"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    refused = launch("train", "inpoo")
    assert refused.stderr.count("unknown method 'inpoo'") == 1
    done = launch("train", "inpo", "--output", "out")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["method"] == "inpo"
    assert "mnpo-bench" not in done.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["processes"] == 2
    assert len(rows(tmp_path / "out" / "training.csv")) == 2
