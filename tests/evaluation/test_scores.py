"""Scores as JSON, as rows and as a table."""

import io
import json
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from evaluation.scores import Comparison, ModelScore, Official, Scores, all_pairs
from evaluation.scores_table import parts_table, scores_table
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


def printed(table, width=150) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


def test_official_rows_say_how_much_is_behind_them() -> None:
    model = replace(
        SCORES.models[0],
        metrics={
            "win_rate": Interval(20.0, 15.0, 25.0, 100, 50),
            "win_rate/writing": Interval(20.0, 15.0, 25.0, 24, 12),
        },
        official={name: Official(1.0, None, None, "") for name in ("win_rate/writing", "theirs")},
    )
    rows = {row.metric: row for row in replace(SCORES, models=(model,)).results("run")}
    own = rows["official/win_rate/writing"].interval
    assert (own.n, own.clusters) == (24, 12)
    other = rows["official/theirs"].interval  # no figure of ours stands beside it
    assert (other.n, other.clusters) == (50, 50)


def test_the_table_shows_names_as_they_are_and_no_control_characters() -> None:
    text = printed(scores_table(replace(SCORES, benchmark="some\x1b[2Jbench", judge="j\n\u202e")))
    assert "some\\x1b[2Jbench, judge j\\n\\u202e" in text
    assert "[red]low[/red]" in text
    assert "\x1b" not in text
    assert text.index("high") < text.index("[red]low")  # best first
    assert "62.10 [61.00, 63.00]" in text


def test_all_pairs_come_once() -> None:
    assert all_pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]


def wide(*names: str) -> Scores:
    """Scores of models with three figures and an official one."""
    figures = ("win_rate", "unweighted_win_rate", "discrete_win_rate")
    return Scores(
        "some-bench",
        "",
        tuple(
            ModelScore(
                model=name,
                headline="win_rate",
                metrics={
                    metric: Interval(70.0 - i, 60.0 - j, 80.0, 100, 50)
                    for j, metric in enumerate(figures)
                },
                n=497,
                missing=3,
                official={"win_rate": Official(69.5, 60.5, 80.5, "their rule")},
            )
            for i, name in enumerate(names)
        ),
    )


@pytest.mark.parametrize("width", [36, 50, 60, 70, 80, 90, 100, 120, 140])
@pytest.mark.parametrize(
    "names",
    [
        ("m",),
        tuple(f"model-number-{i}" for i in range(10)),
        ("a-rather-long-name-of-a-model-" * 3 + "end", "short"),
        ("\u6a21\u578b" * 12,),
    ],
    ids=["one", "ten", "long", "wide letters"],
)
def test_a_narrow_terminal_loses_no_name_count_or_score(width, names) -> None:
    text = printed(scores_table(wide(*names), width), width)
    assert max(map(cell_len, text.splitlines())) <= width
    rows = [line.split("\u2502")[1:-1] for line in text.splitlines() if "\u2502" in line]
    assert "".join(row[0].strip() for row in rows) == "".join(names)
    for column, cell in ((-2, "497"), (-1, "3")):
        assert [row[column].strip() for row in rows if row[column].strip()] == [cell] * len(names)
    figures = "".join(row[1].strip() for row in rows).replace(" ", "")
    assert figures == "".join(f"{70 - i:.2f}[60.00,80.00]" for i in range(len(names)))
    header = text.split("\u2521")[0]
    assert "missing" in header
    assert "\u2026" not in text


def test_secondary_figures_are_left_out_before_official_ones_and_that_is_said() -> None:
    scores = wide("model-number-1")
    assert "not shown" not in printed(scores_table(scores, 150), 150)
    for width, kept, left_out in (
        (120, "unweighted win rate", "not shown for want of room: discrete win rate"),
        (80, "official", "not shown for want of room: unweighted win rate, discrete win rate"),
        (60, "win rate", "not shown for want of room: unweighted win rate, discrete win rate"),
    ):
        text = printed(scores_table(scores, width), width)
        assert kept in text.split("\u2521")[0]
        assert " ".join(text.split("\u2518")[1].split()).startswith(left_out)
    assert "official" in text.split("\u2518")[1]  # the last one to go


PARTS = Scores(
    "some-bench",
    "",
    tuple(
        ModelScore(
            model=name,
            headline="win_rate",
            metrics={
                "win_rate": Interval(value, None, None, 9, 9),
                "score/creative_writing": Interval(value, None, None, 4, 4),
                "win_rate/creative_writing": Interval(value, None, None, 4, 4),
                "win_rate/math": Interval(value, None, None, 4, 4),
                "win_rate/against/sh_ort": Interval(value + 1, None, None, 4, 4),
            },
            n=9,
            missing=0,
        )
        for name, value in (("a", 50.0), ("b", 60.0))
    ),
)


def test_parts_keep_names_of_models_and_stand_there_once() -> None:
    text = printed(parts_table(PARTS))
    assert "win rate/against/sh_ort" in text
    assert "score/creative_writing" in text
    assert "win rate/creative_writing" not in text  # equal for every model
    assert "win rate/math" in text  # as high by chance, of another part
    other = replace(PARTS.models[1], metrics={**PARTS.models[1].metrics})
    other.metrics["win_rate/creative_writing"] = Interval(61.0, None, None, 4, 4)
    text = printed(parts_table(replace(PARTS, models=(PARTS.models[0], other))))
    assert "win rate/creative_writing" in text


@pytest.mark.parametrize("width", [50, 60, 80, 100])
def test_parts_fold_on_a_narrow_terminal(width) -> None:
    names = [f"a-model-of-some-length-{i}" for i in range(5)]
    text = printed(
        parts_table(replace(PARTS, models=tuple(replace(PARTS.models[0], model=n) for n in names))),
        width,
    )
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    head = [line.split("\u2503")[1:-1] for line in text.splitlines() if "\u2503" in line]
    assert ["".join(row[i].strip() for row in head) for i in range(1, 6)] == names
