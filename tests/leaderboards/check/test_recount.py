"""Figures counted again from what lies beneath them."""

import csv
import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from evaluation import crossplay_report
from evaluation.crossplay_summary import Answers, summarize
from evaluation.pool.standings import pool_standings
from evaluation.records import Answer, ModelAnswers, spread
from evaluation.suite.benchmarks import open_judged
from evaluation.suite.settings import EvaluationSettings
from evaluation.tidy import Origin
from evaluation.winmatrix import WinMatrix
from leaderboards.board import Run
from leaderboards.check.recount import Recount, recount
from leaderboards.check.recount.evaluation_run import Told
from leaderboards.check.recount.evaluations import _benchmark
from mnpo.judging.calls import Outcome, Reply
from simulators.study.config import StudyConfig
from simulators.study.executors import Serial
from simulators.study.plan import make_plan
from simulators.study.study import run_study


def whole(kind: str, folder: Path) -> list[Recount]:
    """Without the manifest, which these folders do not all have."""
    return list(recount(Run("r", kind, str(folder), "done", {}), folder))[1:]


def edit(file: Path, row: int, column: str, value: str) -> str:
    rows = list(csv.DictReader(file.open()))
    before, rows[row][column] = rows[row][column], value
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return before


def random_wins(seed: int, names: tuple[str, ...], prompts: int = 12) -> WinMatrix:
    wins = np.random.default_rng(seed).uniform(size=(prompts, len(names), len(names)))
    wins = (wins + 1 - wins.transpose(0, 2, 1)) / 2
    return WinMatrix(names, wins)


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """The cross-play of a training run: three policies, a judge, two annotators."""
    names = ("sft", "mnpo-seed-0", "mnpo-seed-1")
    judges = {name: random_wins(i, names) for i, name in enumerate(("judge", "ann", "bob"))}
    pool = pool_standings(judges["judge"])
    answers = Answers((("a", "b"), ("c",)), ((3, 4), (5,)), ((True, True), (False,)))
    population = {name: judges[name] for name in ("ann", "bob")}
    summaries = [
        summarize(
            name,
            "ab" * 32,
            start="sft",
            judged=judges["judge"],
            population=population,
            standing=pool.standings[seat],
            answers=answers,
        )
        for seat, name in enumerate(names)
    ]
    origins = {"sft": Origin("t", "sft", 0)} | {
        f"mnpo-seed-{seed}": Origin("t", "mnpo", 3, seed) for seed in (0, 1)
    }
    crossplay_report.write(
        tmp_path,
        summaries=summaries,
        judges=judges,
        judge="judge",
        start="sft",
        pool=pool,
        caption="",
        hashes={"prompts": "p", **{f"judge {name}": name for name in judges}},
        prompts=[f"p{i}" for i in range(12)],
        origins=origins,
    )
    (tmp_path / "crossplay-results.csv").rename(tmp_path / "results.csv")
    return tmp_path


def test_a_training_run_follows_from_its_win_rates(training: Path) -> None:
    (own,) = whole("training", training)
    assert own.problems == ()
    assert own.figures == 3 * 5 + 2 * (1 + 2 + 2) + 1
    assert own.why_not.startswith("response_tokens, unfinished, distinct")


@pytest.mark.parametrize(
    "metric",
    [
        "win_rate/pool",
        "win_rate/worst_opponent",
        "exploitability",
        "nash_average",
        "win_rate/nash_average",
        "win_rate/against/sft",
        "win_rate/worst_annotator",
        "win_rate/mean_annotator",
        "cyclic_share",
    ],
)
def test_every_changed_figure_of_a_training_run_is_found(training: Path, metric: str) -> None:
    rows = list(csv.DictReader((training / "results.csv").open()))
    row = max(i for i, own in enumerate(rows) if own["metric"] == metric)
    edit(training / "results.csv", row, "value", "0.98765")
    (own,) = whole("training", training)
    assert len(own.problems) == 1
    assert f"row {row + 1}" in own.problems[0]
    assert f"{metric}: value 0.98765 and" in own.problems[0]


def test_without_the_win_rates_a_training_run_is_only_compared(training: Path) -> None:
    (training / "crossplay-wins.parquet").unlink()
    (own,) = whole("training", training)
    assert (own.figures, own.problems) == (0, ())
    assert "is not there" in own.why_not


def test_win_rates_of_other_policies_are_not_taken(training: Path) -> None:
    from evaluation.pool.wins_file import wins_bytes

    judges = {"judge": random_wins(0, ("a", "b"))}
    names = [f"p{i}" for i in range(12)]
    (training / "crossplay-wins.parquet").write_bytes(wins_bytes(judges, names))
    (own,) = whole("training", training)
    assert "has 2 policies" in own.problems[0]


@pytest.fixture
def simulation(tmp_path: Path) -> Path:
    config = StudyConfig(algorithms=("mnpo", "inpo"), iterations=5, seeds=2, mode="sampled")
    run_study(config, make_plan(config), tmp_path / "x", Serial())
    return tmp_path / "x"


def test_a_simulation_follows_from_its_trajectories(simulation: Path) -> None:
    (own,) = whole("simulation", simulation)
    assert (own.figures, own.problems) == (16, ())
    for column in ("gap_last", "gap_average", "regularized_gap_last"):
        before = edit(simulation / "summary.csv", 2, column, "0.5")
        (own,) = whole("simulation", simulation)
        assert len(own.problems) == 1
        assert f"row 3, inpo, {column}: 0.5" in own.problems[0]
        edit(simulation / "summary.csv", 2, column, before)
    edit(simulation / "summary.csv", 0, "run", "other")
    (own,) = whole("simulation", simulation)
    assert "row 1 has no trajectory" in own.problems[0]


def test_a_suite_follows_from_its_games(tmp_path: Path) -> None:
    where = "regime,family,algorithm"
    games = ["exact,cyclic,mnpo,0.25", "exact,cyclic,mnpo,0.5", "exact,cyclic,inpo,0.125"]
    (tmp_path / "games.csv").write_text(f"{where},gap_last\n" + "\n".join(games) + "\n")
    rows = [
        f"exact,cyclic,mnpo,gap_last,0.375,{0.125 * 2**0.5!r},2",
        "exact,cyclic,inpo,gap_last,0.125,,1",
        "exact,cyclic,dpo,gap_last,,,0",
    ]
    (tmp_path / "suite.csv").write_text(f"{where},metric,value,std,n\n" + "\n".join(rows) + "\n")
    (own,) = whole("suite", tmp_path)
    assert (own.figures, own.problems) == (9, ())
    edit(tmp_path / "suite.csv", 0, "value", "0.37")
    (own,) = whole("suite", tmp_path)
    assert own.problems == (
        "r, suite.csv: row 1, exact cyclic mnpo, gap_last, value: 0.37, and 0.375 by the games",
    )


@pytest.mark.parametrize("kind", ["board", "matrix", "claims"])
def test_what_has_nothing_beneath_it_says_so(tmp_path: Path, kind: str) -> None:
    (own,) = recount(Run("r", kind, str(tmp_path), "done", {}), tmp_path)  # type: ignore[arg-type]
    assert own.why_not
    assert own.figures == 0


def outcome_of(benchmark: str):
    """A judge that says something else each time, and the same again when asked again."""

    def verdicts(call):
        number = zlib.crc32(f"{call.item}/{call.order}/{call.repeat}".encode())
        if benchmark == "alpaca-eval":
            shown = 1 + number % 1000 / 1000
            return Outcome({"preference": shown, "read": "logprobs"}, reply="M")
        if benchmark.startswith("arena-hard"):
            label = ("A>>B", "A>B", "A=B", "B>A", "B>>A")[number % 5]
            return Outcome(label, "", f"[[{label}]]")
        text = f"Rating: [[{number % 10 + 1}]]"
        return Outcome(call.contract.read(Reply(text)), "", text)

    return verdicts


def judged_run(folder: Path, shared: Path, benchmark: str, extra: dict) -> Told:
    """What `evaluate` writes of two models' answers to twelve questions."""
    models = [{"name": name, "outputs": {benchmark: "x"}} for name in ("a/x", "b")]
    settings = EvaluationSettings.model_validate(
        {"models": models, "benchmarks": [benchmark], "data_dir": str(shared / "data")}
        | {"limit": 12}
        | extra
    )
    bench = open_judged(benchmark, settings)
    bench = bench.only({own.id for own in spread(bench.questions(), settings.limit)})
    answers = [
        ModelAnswers(
            name,
            {
                q.id: Answer(tuple(f"{name} **says** {i}\n- {t[: 30 * i]}" for t in q.turns))
                for i, q in enumerate(bench.questions(), len(name))
            },
        )
        for name in ("a/x", "b")
    ]
    scores = bench.score(answers, outcome_of(benchmark), judge="a judge")
    for path, text in bench.artefacts(answers, outcome_of(benchmark), judge="a judge"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "results.json").write_text(scores.json())
    entry = json.loads(scores.json())
    return Told(folder, settings, scores.benchmark, "a judge", entry["models"], entry)


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def disagreeing(told: Told, figures: int) -> set[str]:
    """Metrics of "b", whose files were changed, that are not those of the verdicts.

    All others agree: those of the other model are the same as before.
    """
    found = _benchmark(told, "r")
    assert (found.figures, found.why_not) == (figures, "")
    metrics = set()
    for line in found.problems:
        who = line.removeprefix("r: ").partition(": ")[0]
        if not who.startswith("a/x minus b, ") and "style" not in who:  # of all models at once
            assert who.startswith("b, "), line
            metrics.add(who.removeprefix("b, "))
    return metrics


@pytest.mark.shared_data
def test_alpaca_eval_follows_from_its_annotations(tmp_path: Path, shared_data: Path) -> None:
    both = {"alpaca_eval": {"orders": "both"}}
    told = judged_run(tmp_path, shared_data, "alpaca-eval", both)
    (file,) = tmp_path.glob("b/*/annotations.json")
    replaced(file, '"preference": 1.', '"preference": 1.0')
    assert {"win_rate", "length_controlled_win_rate"} <= disagreeing(told, 13)
    replaced(file, '"preference": 1.', '"preference": 9.')
    (line,) = _benchmark(told, "r").problems
    assert "annotations.json, row" in line


@pytest.mark.shared_data
def test_arena_hard_follows_from_its_judgements(tmp_path: Path, shared_data: Path) -> None:
    told = judged_run(tmp_path, shared_data, "arena-hard-v0.1", {})
    (file,) = tmp_path.glob("model_judgment/*/b.jsonl")
    replaced(file, '"score": "B>', '"score": "A>')
    assert {"score", "win_rate"} <= disagreeing(told, 13)


@pytest.mark.shared_data
def test_style_control_follows_from_the_answers(tmp_path: Path, shared_data: Path) -> None:
    told = judged_run(tmp_path, shared_data, "arena-hard-v0.1", {})
    replaced(tmp_path / "model_answer/b.jsonl", "- ", "\\n- \\n- \\n# x\\n- ")
    found = _benchmark(told, "r").problems
    assert found
    assert all("style_controlled_score" in line for line in found)


@pytest.mark.shared_data
def test_mt_bench_follows_from_its_judgements(tmp_path: Path, shared_data: Path) -> None:
    told = judged_run(tmp_path, shared_data, "mt-bench", {"repeats": 2})
    (file,) = tmp_path.glob("model_judgment/*_single.jsonl")
    *rest, last = file.read_text().splitlines()
    row = json.loads(last)
    row["score"] = 1 if row["score"] > 1 else 2
    row["judgment"] = f"Rating: [[{row['score']}]]"
    file.write_text("\n".join([*rest, json.dumps(row)]) + "\n")
    assert {"score", "score/turn-2"} <= disagreeing(told, 45)


@pytest.mark.shared_data
def test_a_benchmark_that_is_not_on_the_machine(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = judged_run(tmp_path, shared_data, "mt-bench", {})
    monkeypatch.setenv("MNPO_BENCH_DATA", str(tmp_path / "none"))
    other = told.settings.model_copy(update={"data_dir": None})
    found = _benchmark(
        Told(told.folder, other, told.benchmark, "a judge", told.models, told.entry), "r"
    )
    assert found.figures == 0
    assert "questions of mt-bench are not on this machine" in found.why_not
