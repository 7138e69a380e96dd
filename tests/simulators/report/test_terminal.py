"""The table on the terminal."""

import io
import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from simulators.report import ReportContent, terminal_table


def shown(content: ReportContent, width: int, **options: Any) -> str:
    file = io.StringIO()
    console = Console(width=width, file=file, color_system=None)
    console.print(terminal_table(content, width, **options))
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_it_fits(make_content: Any, make_row: Any, width: int) -> None:
    algorithms = ("inpo", "mwu", "sppo", "dpo", "nash-md")
    rows = [
        make_row(name, seed, gap_last=0.1 + seed, preference_queries=120_000, gradient_steps=9_000)
        for name in algorithms
        for seed in range(4)
    ]
    text = shown(make_content(rows=rows), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text  # nothing squeezed: what does not fit is left out
    for name in algorithms:
        assert name in text
    assert "cycles" in text


def test_wide_terminals_show_more(make_content: Any) -> None:
    content = make_content()
    assert "KL to eq" in shown(content, 100)
    assert "KL to eq" not in shown(content, 60)
    assert "gap" in shown(content, 60)


def test_numbers_and_missing_values(make_content: Any) -> None:
    text = shown(make_content(), 100)
    line = next(line for line in text.splitlines() if line.strip().startswith("dpo"))
    assert line.split() == ["dpo", "diverges", "0.0312", "1.2e-07", "0.00200", "0", "–", "200"]


def test_standard_errors_over_seeds(make_content: Any, make_row: Any) -> None:
    rows = [make_row("inpo", seed, gap_last=gap) for seed, gap in enumerate((0.1, 0.2, 0.3))]
    assert "0.20 ± 0.06" in shown(make_content(rows=rows), 100)
    assert "mean ± standard error" in shown(make_content(rows=rows), 100)
    assert "0.200" in shown(make_content(rows=rows), 50)


def test_swept_settings_have_a_column(make_content: Any, make_row: Any) -> None:
    rows = [make_row("inpo", step_size=s) for s in (0.25, 0.75)] + [make_row("dpo")]
    text = shown(make_content(rows=rows, settings={"sweep": {"step_size": [0.25, 0.75]}}), 100)
    assert "0.25" in text
    assert "0.75" in text
    dpo = next(line for line in text.splitlines() if line.strip().startswith("dpo"))
    assert dpo.split()[1] == "–"


def test_long_tables_say_where_the_rest_is(make_content: Any, make_row: Any) -> None:
    rows = [make_row("inpo", step_size=0.01 * k) for k in range(1, 301)]
    text = shown(make_content(rows=rows), 100, limit=10)
    assert text.count("inpo") == 10
    assert "10 of 300 rows, spread over the sweep; all are in summary.csv" in text


def test_notes_and_labels_are_text_not_markup(make_content: Any, make_row: Any) -> None:
    rows = [make_row("dpo", note="stopped after iteration 3: [red]no minimiser[/red]")]
    assert "dpo: stopped after iteration 3: [red]no minimiser[/red]" in shown(
        make_content(rows=rows), 100
    )


def test_markup_in_user_text_is_shown_as_it_is(make_content: Any, make_row: Any) -> None:
    hostile = "[red]a[/]\\"
    rows = [make_row(hostile, game=game, note=f"{hostile} \x1b[31m") for game in (hostile, "[/b]")]
    text = shown(make_content(rows=rows), 120)
    assert text.count(hostile) >= 4
    assert "[/b]" in text
    assert "\x1b" not in text


def test_of_a_sweep_the_best_setting_of_each_algorithm_comes_first(
    make_content: Any, make_row: Any
) -> None:
    gaps = {0.1: 0.3, 0.2: 0.1, 0.4: 0.2}
    rows = [
        make_row(name, step_size=s, gap_last=gap, regularized_gap_last=0.5 - gap)
        for name in ("inpo", "mwu")
        for s, gap in gaps.items()
    ]
    text = shown(make_content(rows=rows, settings={"sweep": {"step_size": list(gaps)}}), 100)
    lines = [line.split()[:2] for line in text.splitlines() if line.startswith((" inpo", " mwu"))]
    # inpo is judged by the regularised gap, mwu by the plain one
    assert lines[:2] == [["inpo", "0.1"], ["mwu", "0.2"]]
    assert sorted(map(tuple, lines)) == sorted(
        (name, str(s)) for name in ("inpo", "mwu") for s in gaps
    )
    assert "above the line: each algorithm's best setting, by the bold gap" in text


def test_the_judged_gap_is_bold_and_the_verdict_coloured(
    make_content: Callable[..., ReportContent],
) -> None:
    console = Console(width=100, file=io.StringIO())
    table = terminal_table(make_content(("inpo", "mwu")), 100)
    lines = console.render_lines(table, pad=False)
    styles = {(segment.text.strip(), str(segment.style)) for line in lines for segment in line}
    assert ("converges", "green") in styles
    assert ("cycles", "magenta") in styles
    assert ("0.00200", "bold") in styles  # inpo's regularised gap
    assert ("0.0312", "bold") in styles  # mwu's plain gap


def test_nothing_ran(make_content: Any) -> None:
    assert "algorithm" in shown(make_content(rows=[], curves=[]), 80)


def test_temperature_zero_has_no_regularised_columns(make_content: Any, make_row: Any) -> None:
    missing = {"regularized_gap_last": math.nan, "kl_to_regularized_equilibrium": math.nan}
    text = shown(make_content(rows=[make_row("mwu", **missing)]), 100)
    assert "reg. gap" not in text
    assert "KL" not in text
