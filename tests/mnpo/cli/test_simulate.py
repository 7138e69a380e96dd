"""`simulate`: what it prints and which files it leaves."""

import csv
import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import mnpo
from mnpo.runs.alive import LOCK
from simulators import make_game

CONTRACT = (
    "game, algorithm, mode, seed, step_size, temperature, iterations, gap_last, gap_average, "
    "regularized_gap_last, kl_to_regularized_equilibrium, external_regret, verdict, "
    "preference_queries, gradient_steps"
).split(", ")
COMPARED = ["mnpo", "inpo", "sppo", "dpo", "nash-md", "egpo", "onpo", "mwu"]
FILES = {
    "run.yaml",
    "manifest.json",
    "parts",
    "summary.csv",
    "summary.json",
    "trajectories.parquet",
    "report.md",
    "report.html",
}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory, command) -> tuple[Path, str, str]:
    """The run directory, stdout and stderr of the command that the README starts with."""
    import subprocess

    folder = tmp_path_factory.mktemp("defaults")
    finished = subprocess.run(
        [*command, "simulate", "--game", "cyclic"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    (run,) = (folder / "runs").iterdir()
    return run, finished.stdout, finished.stderr


def test_default_study_compares_eight_algorithms(defaults) -> None:
    run, out, _ = defaults
    assert {path.name for path in run.iterdir()} - {LOCK} == FILES
    summary = rows(run)
    assert [row["algorithm"] for row in summary] == COMPARED
    assert all(name in out for name in COMPARED)
    assert {row["iterations"] for row in summary} == {"500"}
    verdicts = {row["algorithm"]: row["verdict"] for row in summary}
    for converging in ("mnpo", "inpo", "egpo", "onpo"):
        assert verdicts[converging] == "converges (last iterate)"
    for averaging in ("sppo", "mwu"):
        assert verdicts[averaging] == "converges on average only"


def test_default_study_says_where_it_starts_and_what_to_open(defaults) -> None:
    run, out, err = defaults
    (note,) = err.splitlines()
    assert note.startswith("note: the uniform policy is an equilibrium of this game already")
    assert out.splitlines()[-1] == f"report: runs/{run.name}/report.html"
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out + err  # no colours or progress bars into files


def test_contract_columns_stand_first(defaults) -> None:
    with (defaults[0] / "summary.csv").open() as file:
        header = next(csv.reader(file))
    assert header[: len(CONTRACT)] == CONTRACT
    assert len(set(header)) == len(header)


def test_gaps_follow_from_the_kept_policies(defaults) -> None:
    run = defaults[0]
    frame = pd.read_parquet(run / "trajectories.parquet")
    P = make_game("cyclic").preferences
    for row in rows(run):
        own = frame[frame["run"] == row["run"]]
        assert list(own["iteration"]) == list(range(501))
        policies = np.stack(own["policy"].to_list())
        # Eq. 4: max_y P(y > pi) - min_y P(pi > y) = 2 max_y P(y > pi) - 1.
        gaps = 2 * (policies @ P.T).max(axis=1) - 1
        np.testing.assert_allclose(own["gap"], gaps, atol=1e-12)
        assert float(row["gap_last"]) == own["gap"].iloc[-1]
        average = policies[1:].mean(axis=0)
        assert float(row["gap_average"]) == pytest.approx(
            2 * (P @ average).max() - 1, abs=0.01 * float(row["gap_initial"])
        )


def test_summary_json_holds_the_same_rows(defaults) -> None:
    run = defaults[0]
    summary = json.loads((run / "summary.json").read_text())
    assert set(summary) == {"config", "warnings", "rows"}
    assert summary["config"] == yaml.safe_load((run / "run.yaml").read_text())
    assert len(summary["warnings"]) == 1
    for in_json, in_csv in zip(summary["rows"], rows(run), strict=True):
        for column in CONTRACT:
            value = in_json[column]
            assert ("" if value is None else str(value)) == in_csv[column]


def test_manifest(defaults) -> None:
    run = defaults[0]
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert manifest["started"] <= manifest["finished"]
    assert manifest["seconds"] > 0
    assert manifest["seeds"] == [0]
    (game,) = manifest["games"]
    assert game["game"] == "cyclic"
    assert len(game["sha256"]) == 64
    assert set(manifest["outputs"]) == FILES - {"run.yaml", "manifest.json", "parts"}
    for name, sha256 in manifest["outputs"].items():
        assert hashlib.sha256((run / name).read_bytes()).hexdigest() == sha256
    environment = manifest["environment"]
    assert environment["mnpo_bench"] == mnpo.__version__
    assert environment["versions"]["numpy"] == np.__version__
    assert environment["arguments"] == ["simulate", "--game", "cyclic"]


def test_nothing_of_the_surroundings_is_recorded(bench, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-very-secret-indeed")
    monkeypatch.setenv("HARMLESS", "value-of-a-variable")
    assert bench("simulate", "--algorithms", "mwu", "--iterations", 3, "--output", "o").code == 0
    for path in (tmp_path / "o").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for word in (b"SOME_API_KEY", b"very-secret", b"HARMLESS", b"value-of-a-variable"):
                assert word not in content, path


def test_every_folder_is_readable_by_others(defaults) -> None:
    run = defaults[0]
    modes = {path.name: path.stat().st_mode & 0o777 for path in run.iterdir() if path.is_file()}
    assert len(set(modes.values())) == 1  # the umask's, not mkstemp's 0600
    import os

    mask = os.umask(0)
    os.umask(mask)
    assert set(modes.values()) == {0o666 & ~mask}


def test_json_is_all_that_is_printed(program, tmp_path) -> None:
    outcome = program("simulate", "--iterations", 4, "--output", "o", "--json")
    assert outcome.code == 0
    assert outcome.errors == []
    assert json.loads(outcome.out) == json.loads((tmp_path / "o" / "summary.json").read_text())
    assert "NaN" not in outcome.out


def test_dry_run_writes_nothing(bench, tmp_path) -> None:
    options = ("--sweep", "step_size=0.1,0.2", "--sweep", "actions=3:5", "--seeds", 2)
    outcome = bench("simulate", "--algorithms", "inpo,dpo", "--iterations", 3, *options)
    assert outcome.code == 0
    planned = bench(
        "simulate", "--algorithms", "inpo,dpo", "--iterations", 3, *options, "--dry-run"
    )
    lines = planned.out.splitlines()
    assert lines[0] == "18 runs of 3 iterations in 6 parts"
    assert "  inpo: 4 runs, 2 step sizes, 1 temperature, 2 seeds, game.actions=3" in lines
    assert "  dpo: 2 runs, 1 step size, 1 temperature, 2 seeds, game.actions=5" in lines
    (run,) = (tmp_path / "runs").iterdir()
    assert lines[-1] == f"would write to runs/{run.name}"
    assert len(rows(run)) == 18


def test_dry_run_in_an_empty_folder_leaves_it_empty(bench, tmp_path) -> None:
    for options in ([], ["--output", "somewhere"], ["--jobs", 2]):
        assert bench("simulate", *options, "--dry-run").code == 0
        assert not list(tmp_path.iterdir())


def test_a_row_for_each_algorithm_setting_and_seed(bench, tmp_path) -> None:
    outcome = bench(
        *("simulate", "--game", "condorcet", "--mode", "sampled", "--iterations", 2),
        *("--algorithms", "inpo,mwu,dpo", "--seeds", 3, "--seed", 5, "--output", "o"),
        *("--sweep", "step_size=0.1:1:log:3", "--sweep", "temperature=0.05,0.1"),
        *("--sweep", "queries=10,20"),
    )
    assert outcome.code == 0, outcome.err
    found = [
        (r["algorithm"], r["step_size"], r["temperature"], r["queries"], r["seed"])
        for r in rows(tmp_path / "o")
    ]
    steps = [str(float(step)) for step in np.geomspace(0.1, 1, 3)]
    rest = (["0.05", "0.1"], ["10", "20"], ["5", "6", "7"])
    expected = set(itertools.product(["inpo", "mwu"], steps, *rest))
    # dpo reads no step size: that axis is not repeated for it.
    expected |= set(itertools.product(["dpo"], [""], *rest))
    assert len(found) == len(expected)
    assert set(found) == expected
    for row in rows(tmp_path / "o"):
        assert int(row["preference_queries"]) == 2 * int(row["queries"])


def test_run_yaml_gives_the_same_numbers_again(bench, tmp_path) -> None:
    first = bench(
        *("simulate", "--game", "random-skew", "--set", "actions=4", "--algorithms", "inpo,mnpo"),
        *("--mode", "sampled", "--set", "queries=50", "--set", "mnpo.history_weights=0.5,0.5"),
        *("--reference", "0.4,0.3,0.2,0.1", "--initial", "random", "--seeds", 2, "--seed", 3),
        *("--step-size", "1e-1", "--temperature", "0.3", "--sweep", "inpo.eta=1/3,1e1"),
        *("--iterations", 4, "--output", "first"),
    )
    assert first.code == 0, first.err
    again = bench("simulate", "--config", "first/run.yaml", "--output", "again")
    assert again.code == 0, again.err
    for name in ("run.yaml", "summary.csv", "summary.json", "trajectories.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    # Into the same folder: everything is done already.
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "first" / "parts").iterdir()}
    resumed = bench("simulate", "--config", "first/run.yaml", "--output", "first")
    assert "3 of 3 parts were finished before" in resumed.out
    assert parts == {
        path: path.stat().st_mtime_ns for path in (tmp_path / "first" / "parts").iterdir()
    }


def test_options_override_the_configuration(bench, tmp_path) -> None:
    (tmp_path / "study.yaml").write_text(
        "algorithms: [mwu, inpo]\niterations: 3\nstep_size: 1e-2\nparameters: {eta: 2e0}\n"
        "sweep: {temperature: [1e-1, 2e-1]}\n"
    )
    options = ("--config", "study.yaml", "--output", "o", "--iterations", 2, "--set", "inpo.eta=4")
    assert bench("simulate", *options).code == 0
    found = {(r["algorithm"], float(r["step_size"])) for r in rows(tmp_path / "o")}
    assert found == {("mwu", 2.0), ("inpo", 0.25)}  # eta is mwu's step, and inpo's inverse step
    assert {r["iterations"] for r in rows(tmp_path / "o")} == {"2"}
    assert {r["temperature"] for r in rows(tmp_path / "o")} == {"0.1", "0.2"}


def test_the_same_command_finds_its_folder_again(bench, tmp_path) -> None:
    command = ("simulate", "--algorithms", "mwu", "--iterations", 2)
    first, second = bench(*command), bench(*command)
    assert "finished before" not in first.out
    assert "1 of 1 parts were finished before and taken over" in second.out
    assert bench(*command, "--step-size", 0.25).code == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_step_beyond_the_bound_is_warned_of_and_run(bench, tmp_path) -> None:
    common = ("simulate", "--game", "cyclic", "--algorithms", "inpo", "--iterations", 400)
    outcome = bench(*common, "--reference", "uniform", "--step-size", 3, "--output", "o")
    assert outcome.code == 0
    (note,) = outcome.notes
    # Uniform equilibrium of rock-paper-scissors: omega = 1/(2 sqrt 3).
    omega = 0.5 / np.sqrt(3)
    assert f"the bound is {2 * 0.1 / (omega**2 + 0.01):.4g} = 2 tau / (omega^2 + tau^2)" in note
    assert f"omega = {omega:.4g}" in note
    assert (tmp_path / "o" / "summary.csv").is_file()
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["warnings"] == [
        note.removeprefix("note: ")
    ]
    within = bench(*common, "--reference", "uniform", "--step-size", 2, "--output", "p")
    assert within.notes == []


def test_the_warning_speaks_the_truth(bench, tmp_path) -> None:
    common = ("simulate", "--game", "cyclic", "--algorithms", "inpo", "--iterations", 2000)
    start = ("--reference", "uniform", "--initial", "0.4,0.3,0.3")
    sweep = ("--sweep", "step_size=2.0,2.1,2.3,2.4")  # the bound is 2.143
    assert bench(*common, *start, *sweep, "--output", "o").code == 0
    verdicts = [row["verdict"] for row in rows(tmp_path / "o")]
    assert verdicts[:2] == ["converges (last iterate)"] * 2
    assert "converges (last iterate)" not in verdicts[2:]
    gaps = [float(row["regularized_gap_last"]) for row in rows(tmp_path / "o")]
    assert max(gaps[:2]) < 1e-6
    assert min(gaps[2:]) > 0.05


def test_no_minimiser_is_a_finding_about_one_algorithm(bench, tmp_path) -> None:
    (tmp_path / "order.csv").write_text("p,a,b,c\na,.5,1,1\nb,0,.5,1\nc,0,0,.5\n")
    outcome = bench(
        *("simulate", "--game", "file:order.csv", "--algorithms", "inpo,dpo,mwu"),
        *("--iterations", 9, "--seeds", 2, "--initial", "random", "--output", "o"),
    )
    assert outcome.code == 0, outcome.err
    assert "no minimiser" in outcome.out
    assert "no finite Bradley-Terry fit" in outcome.out
    found = rows(tmp_path / "o")
    assert [row["algorithm"] for row in found] == ["inpo", "inpo", "dpo", "dpo", "mwu", "mwu"]
    for row in found:
        stuck = row["algorithm"] == "dpo"
        assert (row["verdict"] == "no minimiser") == stuck
        assert (row["gap_last"] == "") == stuck
        assert ("always beat" in row["note"]) == stuck
        assert row["iterations"] == ("0" if stuck else "9")
        assert row["step_size"] == ("" if stuck else "0.5")
    assert len({row["run"] for row in found}) == 6
    frame = pd.read_parquet(tmp_path / "o" / "trajectories.parquet")
    assert set(frame["run"]) == {row["run"] for row in found if row["algorithm"] != "dpo"}
    noisy = bench(
        *("simulate", "--game", "file:order.csv", "--algorithms", "dpo", "--iterations", 9),
        *("--set", "label_noise=0.05", "--output", "p"),  # as the message says
    )
    assert noisy.code == 0
    assert "no minimiser" not in noisy.out


def test_random_games_differ_with_the_seed(bench, tmp_path) -> None:
    common = ("simulate", "--game", "random-skew", "--algorithms", "mwu", "--iterations", 3)
    assert bench(*common, "--seeds", 3, "--seed", 1, "--output", "o").code == 0
    initial = {row["seed"]: float(row["gap_initial"]) for row in rows(tmp_path / "o")}
    assert list(initial) == ["1", "2", "3"]
    for seed, gap in initial.items():
        P = make_game("random-skew", seed=int(seed)).preferences
        assert gap == pytest.approx(2 * P.mean(axis=1).max() - 1, abs=1e-12)
    fixed = bench(*common, "--seeds", 3, "--set", "game.seed=2", "--output", "p")
    assert {float(row["gap_initial"]) for row in rows(tmp_path / "p")} == {initial["2"]}
    assert "no randomness" in fixed.notes[-1]


def test_random_starts_differ_with_the_seed_and_not_with_the_algorithm(bench, tmp_path) -> None:
    outcome = bench(
        *("simulate", "--game", "cyclic", "--algorithms", "inpo,mwu", "--iterations", 2),
        *("--initial", "random", "--seeds", 3, "--output", "o"),
    )
    assert outcome.code == 0
    assert not any("no randomness" in note for note in outcome.notes)
    start = {(r["algorithm"], r["seed"]): r["gap_initial"] for r in rows(tmp_path / "o")}
    assert len(set(start.values())) == 3
    for seed in "012":
        assert start["inpo", seed] == start["mwu", seed]


def test_contextual_game_in_neural_mode(bench, tmp_path) -> None:
    outcome = bench(
        *("simulate", "--game", "contextual", "--set", "contexts=4", "--set", "actions=3"),
        *("--mode", "neural", "--set", "gradient_steps=5", "--set", "hidden=8"),
        *("--algorithms", "inpo,dpo", "--iterations", 2, "--seeds", 2, "--output", "o"),
    )
    assert outcome.code == 0, outcome.err
    found = rows(tmp_path / "o")
    assert {row["mode"] for row in found} == {"neural"}
    assert {row["gradient_steps"] for row in found} == {"10"}
    assert len({row["gap_last"] for row in found}) == 4
    frame = pd.read_parquet(tmp_path / "o" / "trajectories.parquet")
    assert len(frame) == 4 * 3
    assert frame["gap"].notna().all()


@pytest.mark.parametrize("mode", ["exact", "gradient", "sampled"])
def test_contextual_games_in_the_other_modes(bench, tmp_path, mode) -> None:
    outcome = bench(
        *("simulate", "--game", "contextual", "--set", "contexts=3", "--mode", mode),
        *("--algorithms", "inpo,mwu", "--iterations", 2, "--output", "o"),
    )
    assert outcome.code == 0, outcome.err
    assert len(rows(tmp_path / "o")) == 2


def test_plackett_luce_starts_where_there_is_something_to_see(bench, tmp_path) -> None:
    outcome = bench("simulate", "--game", "plackett-luce", "--iterations", 12, "--output", "o")
    assert outcome.code == 0, outcome.err
    assert any("skewed reference" in note for note in outcome.notes)
    found = rows(tmp_path / "o")
    assert [row["algorithm"] for row in found] == COMPARED
    for row in found:
        assert float(row["gap_initial"]) > 0.01
        assert row["multiplayer_gap_last"] != ""


def test_every_game_family_runs(bench, tmp_path) -> None:
    from simulators.games import list_games

    for spec in list_games():
        if spec.name != "file":
            outcome = bench(
                *("simulate", "--game", spec.name, "--algorithms", "inpo", "--iterations", 2),
                *("--output", spec.name),
            )
            assert outcome.code == 0, outcome.err
            assert [row["game"] for row in rows(tmp_path / spec.name)] == [spec.name]


def test_all_algorithms_on_a_game_with_annotators(bench, tmp_path) -> None:
    from mnpo.algorithms import list_algorithms

    outcome = bench(
        *("simulate", "--game", "condorcet", "--set", "kind=utilities", "--algorithms", "all"),
        *("--set", "externals=0.6,0.3,0.1;0.2,0.2,0.6", "--set", "demonstrations=0.5,0.3,0.2"),
        *("--set", "rewards=1,2,3", "--iterations", 3, "--output", "o"),
    )
    assert outcome.code == 0, outcome.err
    names = [entry.name for entry in list_algorithms()]
    assert [row["algorithm"] for row in rows(tmp_path / "o")] == names


def test_no_iteration_at_all(bench, tmp_path) -> None:
    outcome = bench("simulate", "--iterations", 0, "--output", "o")
    assert outcome.code == 0, outcome.err
    for row in rows(tmp_path / "o"):
        assert row["gap_last"] == row["gap_initial"]
        assert row["verdict"] == "undecided"
