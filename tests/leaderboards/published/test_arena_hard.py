"""Arena-Hard's leaderboards, and scores with bootstrap draws."""

import json
from pathlib import Path

import pytest
from published_files import WRITTEN, WRITTEN_ROWS, table, write

from leaderboards.board import Section
from leaderboards.collect.published import published_section
from mnpo.errors import UserError

SCORE = "arena-hard-v0.1/score"
OFFICIAL = "Hard Prompt, Style Control, and Gemini-2.5 as Judge **(Official Configuration)**:"
OTHER = "Hard Prompt, Style Control, and GPT-4.1 as Judge **(another)**"
CREATIVE = "Creative Writing, Ensemble GPT-4.1 and Gemini 2.5 as Judges **(best)**"


def section(path: Path) -> Section:
    found = published_section(path, "board")
    assert found is not None
    return found[1]


def test_the_written_form(tmp_path: Path) -> None:
    own = section(write(tmp_path / "leaderboard.csv", table(WRITTEN, WRITTEN_ROWS)))
    assert [entry.name for entry in own.entries] == ["a", "b", "base", "c"]
    figure = own.entries[0].figures[SCORE]
    assert (figure.interval.value, figure.interval.low, figure.interval.high) == (82.5, 80.5, 84.5)
    assert figure.interval.n == 0  # the file does not say
    assert [entry.figures[SCORE].rank for entry in own.entries] == [(1, 2), (1, 2), (3, 3), (4, 4)]
    assert [entry.figures[SCORE].letters for entry in own.entries] == ["a", "a", "b", "c"]
    assert "arena-hard-v0.1/mean_tokens" not in own.entries[3].figures


def test_a_score_outside_its_interval_is_flagged(tmp_path: Path) -> None:
    rows = [("a", 90.0, 80.5, 84.5, "", 1, ""), *WRITTEN_ROWS[1:]]
    own = section(write(tmp_path / "leaderboard.csv", table(WRITTEN, rows)))
    assert own.entries[0].figures[SCORE].flags == (
        "90 is outside its own published interval, 80.5 to 84.5",
    )


def test_twice_in_one_leaderboard(tmp_path: Path) -> None:
    path = write(tmp_path / "leaderboard.csv", table(WRITTEN, [WRITTEN_ROWS[0]] * 2))
    with pytest.raises(UserError, match="row 2: 'a' is there twice"):
        published_section(path, "board")


def test_blocks_are_columns(tmp_path: Path) -> None:
    header = ("block", "heading_above", "model", "score", "ci_minus", "ci_plus", "avg_tokens")
    rows = [
        (1, "**Arena (Style Control)**", "a", 80.0, -1.0, 1.5, 100),
        (1, "**Arena (Style Control)**", "b", 70.0, -1.0, 1.0, 200),
        (2, "**Arena (Style Control)**", "b", 75.0, -1.0, 1.0, 200),
        (2, "**Arena (Style Control)**", "c", 60.0, -1.0, 1.0, 300),
    ]
    own = section(write(tmp_path / "past.csv", table(header, rows)))
    first, second = own.columns[:2]
    assert first.key == "arena-hard-v0.1/style_controlled_score"
    # The file does not say what the second block is, and so it is no metric that others have.
    assert second.metric == "style_controlled_score/leaderboard-2"
    assert any("does not say what it is" in note for note in own.notes)
    assert [entry.name for entry in own.entries] == ["a", "b", "c"]
    figures = own.entries[1].figures
    assert [figures[own.key].interval.value for own in (first, second)] == [70.0, 75.0]
    assert first.key not in own.entries[2].figures
    interval = own.entries[0].figures[first.key].interval
    assert (interval.low, interval.high) == (79.0, 81.5)


def test_headings_name_category_control_and_judge(tmp_path: Path) -> None:
    header = ("leaderboard", "model", "score", "ci_minus", "ci_plus")
    rows = [
        (OFFICIAL, "a", 85.9, -0.8, 0.9),
        (OFFICIAL, "b", 80.0, -0.8, 0.9),
        (OTHER, "b", 82.0, -0.8, 0.9),
        (OTHER, "a", 81.9, -0.8, 0.9),
        (CREATIVE, "a", 70.0, -0.8, 0.9),
        (CREATIVE, "a", 71.0, -0.8, 0.9),
    ]
    own = section(write(tmp_path / "leaderboards.csv", table(header, rows)))
    assert [(column.key, column.judge) for column in own.columns] == [
        ("arena-hard-v2.0/style_controlled_score/hard_prompt", "Gemini-2.5"),
        ("arena-hard-v2.0/style_controlled_score/hard_prompt@GPT-4.1", "GPT-4.1"),
        ("arena-hard-v2.0/score/creative_writing", "Ensemble GPT-4.1 and Gemini 2.5"),
        (
            "arena-hard-v2.0/score/creative_writing/leaderboard-4",
            "Ensemble GPT-4.1 and Gemini 2.5",
        ),
    ]
    assert own.columns[0].title == "Hard Prompt, Style Control, and Gemini-2.5 as Judge"
    interval = own.entries[0].figures[own.columns[0].key].interval
    assert (interval.low, interval.high) == (85.1, 86.8)
    assert any("90 %" in note for note in own.notes)
    # 82.0 and 81.9 differ by less than their errors.
    ranks = [entry.figures[own.columns[1].key].rank for entry in own.entries]
    assert ranks == [(1, 2), (1, 2)]


def test_half_widths_of_ninety_percent_are_wider_errors(tmp_path: Path) -> None:
    """1.4 apart: two of 95 % are told apart, two of 90 % and the same width are not."""
    rows = [("a", 51.4, -0.95, 0.95), ("b", 50.0, -0.95, 0.95)]
    head = ("model", "score", "ci_minus", "ci_plus")
    first = section(write(tmp_path / "a.csv", table(head, rows)))
    second = section(
        write(tmp_path / "b.csv", table(("leaderboard", *head), [(OFFICIAL, *row) for row in rows]))
    )
    assert [entry.figures[first.sorted_by].rank for entry in first.entries] == [(1, 1), (2, 2)]
    assert [entry.figures[second.sorted_by].rank for entry in second.entries] == [(1, 2), (1, 2)]


def test_bootstrap_draws(tmp_path: Path) -> None:
    rows = [
        {"model": "a", "score": 8.0, "lower": 7.5, "upper": 8.5, "results": [8.0] * 3},
        {"model": "b", "score": 9.0, "lower": 8.9, "upper": 9.1, "results": []},
    ]
    text = "\n".join(map(json.dumps, rows)) + "\n"
    own = section(write(tmp_path / "bootstrap_stats_mt_bench.jsonl.gz", text))
    assert own.columns[0].key == "mt-bench/score"
    assert [entry.name for entry in own.entries] == ["b", "a"]
    assert own.entries[1].figures["mt-bench/score"].interval.low == 7.5
    assert own.entries[1].figures["mt-bench/score"].rank == (2, 2)
    unknown = section(write(tmp_path / "something.jsonl", text))
    assert unknown.columns[0].benchmark == "something"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"model": "b", "score": 1, "lower": 0}', "row 2: the key 'upper' is missing"),
        ('{"model": "b", "score": "x", "lower": 0, "upper": 2}', "'score' is 'x', not a number"),
        ('{"model": "b", "score": NaN, "lower": 0, "upper": 2}', "'score' is nan, not a number"),
        ('{"model": 3, "score": 1, "lower": 0, "upper": 2}', "'model' is 3, no name"),
        ('{"model": "a", "score": 1, "lower": 0, "upper": 2}', "'a' is there twice"),
        ('{"model": ', "row 2: not JSON"),
        ("[]", "row 2: not an object"),
    ],
)
def test_broken_lines_of_draws(tmp_path: Path, line: str, says: str) -> None:
    good = '{"model": "a", "score": 1, "lower": 0, "upper": 2}'
    with pytest.raises(UserError, match=says):
        published_section(write(tmp_path / "x.jsonl", f"{good}\n{line}\n"), "board")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "model,score\na,1\n"),
        ("a.csv", ""),
        ("a.csv", '"unfinished'),
        ("a.jsonl", '{"index": 1}\n'),
        ("a.txt", "model,score,ci_minus,ci_plus\na,1,0,0\n"),
        ("a.csv.gz", "not gzipped"),
    ],
)
def test_other_files_are_none(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert published_section(tmp_path / name, "board") is None
    assert published_section(tmp_path, "board") is None
    assert published_section(tmp_path / "absent.csv", "board") is None
