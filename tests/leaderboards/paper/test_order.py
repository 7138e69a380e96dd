"""The order of methods there and here."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from paper_boards import LC, VALUES, board, column, entry, figure
from scipy.stats import kendalltau

from leaderboards.board import Board
from leaderboards.paper import compare_with_papers
from leaderboards.paper.printed import load_paper

THEIRS = {
    own.method: own.number
    for own in load_paper("mnpo").figures
    if own.table == "2" and own.column == "AlpacaEval 2.0" and own.method in VALUES
}


def order(made: Board, where: str = "Table 2") -> dict[str, Any] | None:
    for table in compare_with_papers(made, ("mnpo",)):
        if table.title.startswith("Order"):
            found = [dict(zip(table.header, row, strict=True)) for row in table.rows]
            return next((row for row in found if row["where"] == where), None)
    return None


@given(st.lists(st.sampled_from([50.0, 53.0, 55.0, 58.0]), min_size=6, max_size=6))
def test_tau_is_scipys(values: list[float]) -> None:
    ours = dict(zip(VALUES, values, strict=True))
    row = order(board(tuple(entry(name, {LC: figure(v)}) for name, v in ours.items())))
    assert row is not None
    assert row["methods"] == 6
    expected = kendalltau([THEIRS[name] for name in ours], list(ours.values())).statistic
    same = len(set(values)) == 1
    assert row["Kendall's tau"] == (None if same else f"{expected:+.2f}")


def test_orders_are_written_out_best_first() -> None:
    tied = {**VALUES, "dpo": VALUES["simpo"]}
    row = order(board(tuple(entry(name, {LC: figure(v)}) for name, v in tied.items())))
    assert row is not None
    assert row["their order"] == "TD-MNPO > INPO > SPPO > SimPO > DPO > SFT Model"
    assert row["our order"] == "TD-MNPO > INPO > DPO = SimPO > SPPO > SFT Model"


def test_an_order_needs_the_benchmark_and_says_what_else_differs() -> None:
    row = order(board(columns=(column(judge="rule-x"),), facts={"model": "tiny"}))
    assert row is not None
    assert "judge: ours rule-x" in row["what differs"]
    other = column("mini-v1", "win_rate")
    entries = tuple(entry(name, {other.key: figure(v)}) for name, v in VALUES.items())
    assert order(board(entries, (other,))) is None


def test_two_methods_have_no_order() -> None:
    assert order(board(tuple(entry(n, {LC: figure(VALUES[n])}) for n in ("sft", "mnpo")))) is None


def test_methods_with_several_rows_are_left_out_and_named() -> None:
    twice = entry("mnpo, later", {LC: figure(1)}, algorithm="mnpo")
    row = order(board((*board().sections[0].entries, twice)))
    assert row is not None
    assert row["methods"] == 5
    assert "several rows: mnpo" in row["what differs"]
    assert "TD-MNPO" not in row["our order"]


def test_lower_may_be_better() -> None:
    row = order(board(columns=(dataclasses.replace(column(), better="lower"),)))
    assert row is not None
    assert row["our order"].startswith("SFT Model")


def test_pairs_told_apart_are_those_that_share_no_letter() -> None:
    letters = {"sft": "c", "dpo": "bc", "mnpo": "a"}
    entries = tuple(
        entry(name, {LC: figure(VALUES[name], letters=own)}) for name, own in letters.items()
    )
    row = order(board(entries))
    assert row is not None
    assert (row["pairs told apart here"], row["of these, as there"]) == ("2 of 3", 2)
    bare = entry("inpo", {LC: figure(1.0)})
    other = order(board((*entries, bare)))
    assert other is not None
    assert other["pairs told apart here"] == "2 of 3"
    plain = order(board())
    assert plain is not None
    assert plain["pairs told apart here"] == "not tested"
