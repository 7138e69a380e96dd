"""Scores as JSON, as rows and as a table."""

import json

from rich.console import Console

from evaluation.scores import Comparison, ModelScore, Official, Scores, all_pairs
from evaluation.scores_table import scores_table
from evaluation.statistics import Interval
from evaluation.tidy import Origin

SCORES = Scores(
    benchmark="some-bench",
    judge="some-judge",
    models=(
        ModelScore(
            model="[red]low[/red]\x1b[31m",
            headline="win_rate",
            metrics={"win_rate": Interval(20.0, 15.0, 25.0, 100, 50)},
            n=50,
            missing=0,
        ),
        ModelScore(
            model="high",
            headline="length_controlled_win_rate",
            metrics={
                "win_rate": Interval(60.0, 55.0, 65.0, 100, 50),
                "length_controlled_win_rate": Interval(62.0, None, None, 100, 50),
            },
            n=49,
            missing=1,
            official={"length_controlled_win_rate": Official(62.1, 61.0, 63.0, "their rule")},
            flags=("one answer is missing",),
            details={"chosen_c": 2.78},
        ),
    ),
    comparisons=(Comparison("win_rate", "a", "b", Interval(1, 0, 2, 5, 5), 0.04, 0.08),),
    hashes={"questions": "abc"},
)


def test_the_contract_of_results_json() -> None:
    found = json.loads(SCORES.json())
    assert found["benchmark"] == "some-bench"
    assert list(found["models"]["high"])[:7] == [
        *("win_rate", "length_controlled_win_rate", "score", "low", "high", "n", "missing"),
    ]
    high, low = found["models"]["high"], found["models"]["[red]low[/red]\x1b[31m"]
    assert (high["score"], high["low"], high["n"], high["missing"]) == (62.0, None, 49, 1)
    assert (low["score"], low["low"], low["length_controlled_win_rate"]) == (20.0, 15.0, None)
    assert high["official"]["length_controlled_win_rate"]["rule"] == "their rule"
    assert found["comparisons"][0]["p_value_holm"] == 0.08


def test_rows_keep_official_figures_apart() -> None:
    rows = SCORES.results("run-1", {"high": Origin("run-0", "inpo", 3, 1)})
    named = {(row.origin.algorithm, row.metric): row for row in rows}
    assert named["inpo", "length_controlled_win_rate"].interval.low is None
    assert named["inpo", "official/length_controlled_win_rate"].interval.low == 61.0
    assert named["inpo", "win_rate"].origin.run == "run-0"
    assert named["[red]low[/red]\x1b[31m", "win_rate"].origin.run == "run-1"


def test_the_table_shows_names_as_they_are_and_no_control_characters() -> None:
    console = Console(width=150, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(scores_table(SCORES))
    text = console.export_text()
    assert "[red]low[/red]" in text
    assert "\x1b" not in text
    assert text.index("high") < text.index("[red]low")  # best first
    assert "62.10 [61.00, 63.00]" in text


def test_all_pairs_come_once() -> None:
    assert all_pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]
