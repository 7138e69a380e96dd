"""``report.md``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulators.report import render_markdown, write_markdown
from simulators.report.markdown import plain


def test_sections_and_tables(make_content: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    content = make_content(warnings=["the step size is beyond the bound 0.3"])
    write_markdown(content, path)
    text = path.read_text()
    assert text.startswith("# ring: a comparison\n")
    for heading in ("Results", "Game", "Verdict rule", "Reproduce"):
        assert f"\n## {heading}\n" in text
    assert "> **Note:** the step size is beyond the bound 0.3" in text
    assert "| inpo | converges (last iterate) | 0.0312 | 1.2e-07 | **0.00200** |" in text
    assert "| dpo | diverges | 0.0312 |" in text
    assert "```sh\nmnpo-bench simulate --game ring\n```" in text
    assert "unique, plays 3 of 3 actions" in text
    assert "1. *converges (last iterate)*: " in text
    assert "| numpy | 2.4.6 |" in text
    assert [p.name for p in tmp_path.iterdir()] == ["report.md"]


def test_every_table_row_has_as_many_cells_as_its_head(make_content: Any) -> None:
    width = None
    rows = 0
    for line in render_markdown(make_content(labels=("a|b", "`c`", "d\ne"))).splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line
        rows += 1
    assert rows > 10


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("a|b", r"a\|b"),
        ("*x* _y_ [z](w)", r"\*x\* \_y\_ \[z\](w)"),
        ("two\nlines", "two lines"),
        ("AT&T", "AT&amp;T"),
    ],
)
def test_labels_are_shown_as_they_are(text: str, escaped: str) -> None:
    assert plain(text) == escaped


def test_contextual_games_have_no_matrix(make_content: Any, make_game_facts: Any) -> None:
    text = render_markdown(make_content(contextual=True))
    assert "Win probabilities" not in text
    assert "- contexts: 16" in text
    told = replace(make_game_facts(contextual=True), parameters={"contexts": 16, "seed": 3})
    text = render_markdown(make_content(contextual=True, games=[told]))
    assert text.count("- contexts: 16") == 1
    assert "- seed: 3" in text


def test_of_a_sweep_the_best_settings_come_first(make_content: Any, make_row: Any) -> None:
    rows = [make_row("mwu", step_size=s, gap_last=s) for s in (0.4, 0.2)]
    text = render_markdown(make_content(rows=rows, settings={"sweep": {"step_size": [0.4, 0.2]}}))
    best, rest = text.split("### Best settings")[1].split("### Settings")
    assert "| mwu | 0.2 |" in best
    assert "| mwu | 0.4 |" not in best
    assert "| mwu | 0.4 |" in rest


def test_a_command_with_backticks_stays_in_its_fence(make_content: Any) -> None:
    text = render_markdown(make_content(command="mnpo-bench ```x"))
    assert "````sh\nmnpo-bench ```x\n````" in text


def test_a_failed_write_leaves_nothing(make_content: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011 -- the system's message
        write_markdown(make_content(), tmp_path / "absent" / "report.md")
    assert list(tmp_path.iterdir()) == []
