"""The tables a suite is read from."""

import math

import pytest

from simulators.suite.run import SuiteResult
from simulators.suite.tables import make_grid, render_markdown, terminal_tables


@pytest.mark.parametrize("metric", ["gap_last", "gap_average", "regularized_gap_last"])
def test_algorithms_are_sorted_by_their_mean(done: SuiteResult, metric: str) -> None:
    grid = make_grid(done.settings, done.rows, "exact", metric)
    assert grid.header == ("algorithm", "mean", "cyclic", "condorcet", "tie*")
    found = {
        (row["family"], row["algorithm"]): row.get("value")
        for row in done.rows["suite"]
        if row["regime"] == "exact" and row["metric"] == metric
    }
    means = {
        name: (found["cyclic", name] + found["condorcet", name]) / 2
        for name in ("inpo", "egpo", "ipo")
    }
    names = [row[0] for row in grid.rows]
    assert names[:4] == [*sorted(means, key=means.__getitem__), "ht-mnpo"]
    ht = grid.rows[3]
    assert ht[1] == ht[2] == ht[4] == "–"
    assert ht[3] != "–"
    assert names[4] == "(start)"
    assert ("(equilibrium)" in names) == (metric != "regularized_gap_last")


def test_the_start_is_the_reference(done: SuiteResult) -> None:
    from simulators.metrics.gaps import duality_gap
    from simulators.suite.draws import draw_game

    (row,) = (
        r for r in done.rows["families"] if (r["regime"], r["family"]) == ("noisy", "condorcet")
    )
    games = [
        draw_game("condorcet", done.settings.families["condorcet"], seed, 0.2) for seed in range(3)
    ]
    for temperature, key in ((0.0, "gap_start"), (0.1, "regularized_gap_start")):
        gaps = [
            duality_gap(g.game.preferences, g.reference[0], temperature, g.reference[0])
            for g in games
        ]
        assert row[key] == pytest.approx(math.fsum(gaps) / 3, abs=1e-14)


def test_markdown_says_how_and_why_not(done: SuiteResult) -> None:
    text = render_markdown(done.settings, done.rows, "mnpo-bench simulate --suite tiny")
    assert text.startswith("# Suite tiny, version 1\n")
    assert "one of 3 from 0.25 to 4" in text
    assert "240 preference queries a run, 20 a round" in text
    assert "**ht-mnpo** on cyclic (exact), tie (exact), cyclic (noisy), tie (noisy): " in text
    assert "no step size to tune: ipo" in text
    assert "mnpo-bench simulate --suite tiny" in text
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_table_for_each_regime_on_the_terminal(done: SuiteResult) -> None:
    titles = [str(table.title) for table in terminal_tables(done.settings, done.rows)]
    assert titles == [
        "exact: duality gap of the last policy",
        "noisy: duality gap of the last policy",
    ]
