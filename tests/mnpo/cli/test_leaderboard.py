"""`mnpo-bench leaderboard` as a user meets it, on real runs that take a moment."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from evaluation.mini.benchmark import open_benchmark

FORMS = {f"leaderboard.{form}" for form in ("csv", "md", "json", "html", "tex")}


def answers(name: str, words: int) -> str:
    """A file of answers to the mini-benchmark, each of so many words."""
    rows = [
        {"question_id": q.id, "model_id": name, "output": " ".join([q.id] * words)}
        for q in open_benchmark().questions()
    ]
    Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"{name}={name}.jsonl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the runs that all tests read."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def runs(bench, made: Path) -> Path:
    """A simulation and an evaluation; copies, so that a test may damage them."""
    if not any(made.iterdir()):
        game = ("--game", "cyclic", "--algorithms", "inpo,sppo", "--iterations", 40)
        assert bench("simulate", *game, "--output", made / "game").code == 0
        models = [
            word for own in (("short", 20), ("long", 45)) for word in ("--outputs", answers(*own))
        ]
        assert (
            bench("evaluate", *models, "--benchmarks", "mini", "--output", made / "models").code
            == 0
        )
    there = Path("runs")
    shutil.copytree(made, there)
    return there


def test_a_board_of_two_runs_and_its_check(bench, runs: Path) -> None:
    found = bench("leaderboard", runs / "game", runs / "models")
    assert found.code == 0, found.err
    assert "mini" in found.out
    assert "leaderboard/leaderboard.html" in found.out
    assert {file.name for file in Path("leaderboard").iterdir()} == FORMS
    scores = json.loads((runs / "models" / "results.json").read_text())["results"][0]["models"]
    with open("leaderboard/leaderboard.csv", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    for name, own in scores.items():
        assert float(rows[name]["mini-v1/win_rate"]) == own["win_rate"]
    ends = [f"mini-v1/win_rate rank {end}" for end in ("best", "worst")]
    ranks = [[rows[name][end] for end in ends] for name in ("long", "short")]
    assert ranks == [["1", "1"], ["2", "2"]]
    sound = bench("leaderboard", "--check")
    assert sound.code == 0, sound.err
    assert "all agree" in sound.out
    assert json.loads(bench("leaderboard", "--check", "--json").out)["leaderboard"]


def test_a_changed_figure_is_found(bench, runs: Path) -> None:
    assert bench("leaderboard", runs / "models", "--output", "board").code == 0
    file = Path("board/leaderboard.csv")
    text = file.read_text()
    value = json.loads((runs / "models/results.json").read_text())["results"][0]["models"]["long"]
    file.write_text(text.replace(str(value["win_rate"]), str(value["win_rate"] + 1)))
    assert file.read_text() != text
    found = bench("leaderboard", "--check", "board")
    assert found.code == 1
    assert "leaderboard.csv" in found.err
    assert "Traceback" not in found.err


def test_columns_filters_and_sort(bench, runs: Path) -> None:
    both = (runs / "game", runs / "models", "--json")
    few = json.loads(bench("leaderboard", *both, "--benchmarks", "mini").out)["board"]
    assert [section["kind"] for section in few["sections"]] == ["models"]
    one = json.loads(bench("leaderboard", *both, "--algorithms", "inpo").out)["board"]
    names = {entry["algorithm"] for section in one["sections"] for entry in section["entries"]}
    assert names == {"inpo"}
    category = bench("leaderboard", *both[:2], "--columns", "win_rate/coding", "--sort", "win_rate")
    assert category.code == 2 or "coding" in category.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "give the folders"),
        ("nowhere", "nowhere"),
        ("runs/models --columns win_rat", "win_rate"),
        ("runs/models --sort nothing", "nothing"),
        ("runs/models --benchmarks arena", "arena"),
        ("runs/models --judges nobody", "nobody"),
        ("runs/models --algorithms inpo", "inpo"),
        ("runs/models --compare ours", "ours"),
        ("runs/models --output runs/models", "runs/models"),
        ("runs/models --output file.txt", "file.txt"),
        ("runs/models --seed -1", "seed"),
        ("--check runs/models", "leaderboard.json"),
        ("--check nowhere", "nowhere"),
    ],
)
def test_bad_input_is_one_line(bench, runs: Path, words: str, said: str) -> None:
    Path("file.txt").write_text("mine")
    before = sorted(str(path) for path in Path(".").rglob("*"))
    found = bench("leaderboard", *words.split())
    assert found.code == 2, found.out
    assert len(found.errors) == 1, found.err
    assert said in found.err
    assert sorted(str(path) for path in Path(".").rglob("*")) == before


def test_what_cannot_be_used_is_told(bench, runs: Path) -> None:
    manifest = runs / "game" / "manifest.json"
    whole = json.loads(manifest.read_text())
    for name, change in {"half": {"status": "running"}, "newer": {"format": 99}}.items():
        shutil.copytree(runs / "game", runs / name)
        (runs / name / "manifest.json").write_text(json.dumps(whole | change))
    shutil.copytree(runs / "game", runs / "damaged")
    (runs / "damaged" / "summary.csv").write_text("game,algorithm\n")
    names = ("half", "newer", "damaged")
    found = bench("leaderboard", *(runs / name for name in names), runs / "models")
    assert found.code == 0, found.err
    left_out = json.loads(Path("leaderboard/leaderboard.json").read_text())["board"]["left_out"]
    assert {own["what"].split(":")[0].split("/")[-1] for own in left_out} == set(names)
    alone = bench("leaderboard", runs / "half")
    assert alone.code == 2
    assert len(alone.errors) == 1


@pytest.mark.shared_data
def test_a_published_board_and_a_matrix(bench, shared_data: Path) -> None:
    file = shared_data / "data/alpaca_eval/leaderboard_weighted_alpaca_eval_gpt4_turbo.csv"
    found = bench("leaderboard", file, shared_data / "data/games/soccer_10x10.csv")
    assert found.code == 0, found.err
    board = json.loads(Path("leaderboard/leaderboard.json").read_text())["board"]
    (section,) = board["sections"]
    with open(file, newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(section["entries"]) == len(rows)
    assert len(board["pools"]) == 1
    assert bench("leaderboard", "--check").code == 0
