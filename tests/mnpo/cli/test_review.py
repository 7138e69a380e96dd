"""Odd names and odd company: paths that look like markup, and algorithms a game cannot run."""

import csv
import json
from pathlib import Path

import pytest
import yaml

GAME = "row_beats_col,x,y\nx,0.5,0.7\ny,0.3,0.5\n"


def algorithms(folder: Path) -> list[str]:
    with (folder / "summary.csv").open(newline="") as opened:
        return [row["algorithm"] for row in csv.DictReader(opened)]


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ((), {"ht-mnpo", "eo-mnpo", "spin"}),
        (("--temperature", 0), {"ht-mnpo", "eo-mnpo", "spin", "dpo", "ipo"}),
        (("--mode", "sampled", "--set", "queries=20"), {"ht-mnpo", "eo-mnpo", "spin", "comal"}),
        (("--game", "plackett-luce"), {"eo-mnpo", "comal", "spin"}),
    ],
)
def test_all_leaves_out_what_cannot_run(bench, tmp_path, options, left_out) -> None:
    outcome = bench(
        *("simulate", "--algorithms", "all", "--iterations", 2, "--output", "o"), *options
    )
    assert outcome.code == 0, outcome.err
    assert outcome.errors == []
    ran = algorithms(tmp_path / "o")
    assert "inpo" in ran
    assert not left_out & set(ran)
    for name in left_out:
        own = (f"note: {name}: ", f"note: {name} ")
        (line,) = [line for line in outcome.notes if line.startswith(own)]
        assert line.endswith("(left out of 'all')")
    kept = yaml.safe_load((tmp_path / "o" / "run.yaml").read_text())
    assert kept["algorithms"] == ran
    assert bench("simulate", "--config", "o/run.yaml", "--output", "o").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--algorithms ht-mnpo", "ht-mnpo gives each player an annotator of its own"),
        ("--algorithms spin", "spin: this method imitates demonstrations and none are given"),
        (
            "--algorithms eo-mnpo --set externals=0.6,0.3,0.1",
            "eo-mnpo: the advantage is a scalar reward and the game has none; give rewards=[...]",
        ),
        ("--algorithms dpo-online --temperature 0", "dpo-online: temperature must be above 0"),
        ("--game plackett-luce --algorithms comal", "comal: an exact proximal step needs a pair"),
        ("--game plackett-luce --algorithms inpo --mode sampled", "inpo: sampled mode asks pairw"),
        ("--algorithms onpo --mode gradient --set queries=9", "onpo: regression on the advantage"),
        ("--algorithms mnpo-eq15 --set num_players=1", "mnpo-eq15: num_players must be at least"),
    ],
)
def test_a_named_algorithm_is_refused_by_name(refused, options, said) -> None:
    assert refused(*options.split()).startswith(said)


@pytest.mark.parametrize(
    "options",
    [
        "--set eo-mnpo.external_weights=1,2",  # an algorithm with settings of its own is named
        "--set external_weights=1,2",  # so is the only one that reads a setting
        "--set inpo.eta=0",
        "--game nowhere",
        "--game file:nowhere.csv",
        "--reference 0.5,0.5",
        "--set nonsense=3",
        "--step-size -1",  # nobody runs
    ],
)
def test_all_does_not_hide_mistakes(refused, options) -> None:
    assert refused("--algorithms", "all", *options.split())


@pytest.mark.parametrize("output", ["a[/b]", "[red]x", "a [bold]b", "x[/]"])
def test_paths_that_look_like_markup(bench, tmp_path, output) -> None:
    outcome = bench("simulate", "--algorithms", "mwu", "--iterations", 2, "--output", output)
    assert outcome.code == 0, outcome.err
    assert outcome.errors == []
    assert f"report: {output}/report.html" in outcome.out
    assert (tmp_path / output / "report.html").is_file()
    assert bench("simulate", "--output", output, "--dry-run").out.endswith(f"{output}\n")


@pytest.mark.parametrize("name", ["we[i]rd [bold]x", "a[", "[red]"])
def test_games_that_look_like_markup(bench, tmp_path, name) -> None:
    (tmp_path / f"{name}.csv").write_text(GAME.replace("x", "[red]").replace("y", "z[b]"))
    game = f"file:{name}.csv"
    outcome = bench("simulate", "--game", game, "--algorithms", "mwu", "--iterations", 2)
    assert outcome.code == 0, outcome.err
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith(f"{name}-")
    assert f"report: runs/{folder.name}/report.html" in outcome.out
    shown = bench("games", "show", game)
    assert shown.code == 0, shown.err
    assert shown.out.startswith(f"file:{name}  2 actions")
    assert "[red]" in shown.out
    assert "nash: [red] 1.0000" in shown.out


@pytest.mark.parametrize("path", [".", "folder"])
def test_a_folder_is_not_a_game(bench, tmp_path, path) -> None:
    (tmp_path / "folder").mkdir()
    for command in (("games", "show", f"file:{path}"), ("simulate", "--game", f"file:{path}")):
        outcome = bench(*command)
        assert outcome.code == 2
        assert outcome.errors == [
            f"mnpo-bench: {path}: a folder; give a file, .csv, .tsv, .json (each also .gz) or .npy"
        ]


def simulate(bench, *options):
    return bench(
        *("simulate", "--game", "file:wins.csv", "--algorithms", "mwu", "--iterations", 3), *options
    )


def test_a_changed_file_is_another_run(bench, tmp_path) -> None:
    file = tmp_path / "wins.csv"
    file.write_text(GAME)
    assert simulate(bench, "--output", "o").code == 0
    first = (tmp_path / "o" / "summary.csv").read_text()
    assert "wins.csv" in str(json.loads((tmp_path / "o" / "manifest.json").read_text())["inputs"])
    assert "1 of 1 parts were finished before" in simulate(bench, "--output", "o").out
    file.write_text(GAME.replace("0.7", "0.8").replace("0.3", "0.2"))
    outcome = simulate(bench, "--output", "o")
    assert outcome.code == 2
    assert outcome.errors == [
        "mnpo-bench: o holds a run with another wins.csv: the file has changed since; "
        "give another --output folder, or --overwrite"
    ]
    assert (tmp_path / "o" / "summary.csv").read_text() == first
    assert simulate(bench, "--output", "o", "--overwrite").code == 0
    assert (tmp_path / "o" / "summary.csv").read_text() != first


def test_a_changed_file_has_another_folder(bench, tmp_path) -> None:
    file = tmp_path / "wins.csv"
    for content in (GAME, GAME, GAME.replace("0.7", "0.8").replace("0.3", "0.2")):
        file.write_text(content)
        assert simulate(bench).code == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_files_behind_a_game_count_as_well(bench, tmp_path) -> None:
    (tmp_path / "wins.csv").write_text(GAME)
    (tmp_path / "n.csv").write_text("battles,x,y\nx,0,9\ny,9,0\n")
    assert simulate(bench, "--set", "counts=n.csv", "--output", "o").code == 0
    (tmp_path / "n.csv").write_text("battles,x,y\nx,0,8\ny,8,0\n")
    line = simulate(bench, "--set", "counts=n.csv", "--output", "o").errors[0]
    assert "another n.csv" in line
    clone = ("simulate", "--game", "clone", "--set", "base=file:wins.csv", "--algorithms", "mwu")
    assert bench(*clone, "--iterations", 2, "--output", "c").code == 0
    (tmp_path / "wins.csv").write_text(GAME.replace("0.7", "0.8").replace("0.3", "0.2"))
    assert "another wins.csv" in bench(*clone, "--iterations", 2, "--output", "c").errors[0]
