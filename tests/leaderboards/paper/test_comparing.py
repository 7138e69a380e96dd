"""Ours beside theirs: a difference exactly where both measure the same thing."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import boards
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_boards import BASE, JUDGE, LC, board, column, entry, figure

from evaluation.statistics import Interval
from leaderboards.board import Board, Table
from leaderboards.collect.published import published_section
from leaderboards.paper import compare_with_papers
from leaderboards.paper.beside import HEADER
from leaderboards.paper.printed import load_paper
from leaderboards.paper.subtract import difference
from mnpo.errors import UserError


def rows(made: Board, table: str = "Table 2", paper: str = "mnpo") -> list[dict[str, Any]]:
    beside = [own for own in compare_with_papers(made, (paper,)) if own.header == HEADER]
    found = [dict(zip(HEADER, row, strict=True)) for own in beside for row in own.rows]
    return [row for row in found if row["where"] == table]


def titled(made: Board, word: str, paper: str = "mnpo") -> Table | None:
    tables = compare_with_papers(made, (paper,))
    return next((table for table in tables if table.title.startswith(word)), None)


def test_where_all_agrees_there_is_a_difference() -> None:
    row = {row["ours: row"]: row for row in rows(board())}["mnpo"]
    assert row["theirs: row"] == "TD-MNPO"
    assert (row["ours"], row["theirs"], row["ours - theirs"]) == ("58.00", "57.27", "+0.73")
    assert row["95 % interval"] == "55.00 to 60.00"
    assert row["its 95 % interval"] == "-2.27 to 2.73"
    assert row["what differs"] == "nothing that is known"


def test_the_start_of_training_has_the_base_model_of_the_runs() -> None:
    row = {row["ours: row"]: row for row in rows(board())}["sft"]
    assert (row["theirs: row"], row["ours - theirs"]) == ("SFT Model", "-0.15")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            board(columns=(column(judge="rule-nearest-50-words"),)),
            "judge: ours rule-nearest-50-words, theirs GPT-5-mini",
        ),
        (board(facts={"model": "tiny"}), "model: ours tiny, theirs Gemma-2-9B-it"),
        (board(facts={"model": {"name": "tiny"}}), "model: ours tiny, theirs Gemma-2-9B-it"),
        (board(facts={}), "model: ours unknown, theirs Gemma-2-9B-it"),
        (
            board(columns=(dataclasses.replace(column(), unit="points"),)),
            "unit: ours points, theirs %",
        ),
        (
            board(
                (
                    entry(
                        "mnpo",
                        {LC: dataclasses.replace(figure(58), interval=Interval(58, 1, 99, 40, 40))},
                    ),
                )
            ),
            "questions: ours 40 of 805, theirs all",
        ),
    ],
)
def test_where_something_differs_there_is_none_and_it_is_said(made: Board, says: str) -> None:
    found = rows(made)
    assert found
    for row in found:
        assert row["what differs"] == says
        assert row["ours - theirs"] is None
        assert row["its 95 % interval"] is None
        assert row["theirs"]


def test_everything_that_differs_is_said() -> None:
    made = board(columns=(column(judge="rule-x"),), facts={"model": "tiny"})
    assert rows(made)[0]["what differs"] == (
        "judge: ours rule-x, theirs GPT-5-mini; model: ours tiny, theirs Gemma-2-9B-it"
    )


@given(
    judge=st.sampled_from(["GPT-5-mini", JUDGE, "gpt-5", "", "gpt5-mini-aug7-2025 "]),
    base=st.sampled_from([BASE, "Gemma-2-9B-it", "tiny", "", "google/gemma-2-9b"]),
)
def test_a_difference_exactly_where_judge_and_model_agree(judge: str, base: str) -> None:
    agree = judge.strip() in ("GPT-5-mini", JUDGE, "gpt5-mini-aug7-2025") and base in (
        BASE,
        "Gemma-2-9B-it",
    )
    for row in rows(board(columns=(column(judge=judge),), facts={"model": base})):
        assert (row["ours - theirs"] is not None) == agree
        assert (row["what differs"] == "nothing that is known") == agree


def test_other_tools_prompts_are_another_benchmark() -> None:
    tasks = column("lm-eval/paper", "accuracy/gpqa", judge="")
    made = board((entry("mnpo", {tasks.key: figure(30)}),), (tasks,))
    (row,) = rows(made, "Table 3")
    assert row["theirs"] == "33.33"
    assert row["ours - theirs"] is None
    assert "theirs EvalScope" in row["what differs"]


def test_printed_standard_deviations_widen_the_interval() -> None:
    judged = column(judge="gpt-4.1-2025-04-14")
    made = board((entry("mnpo", {LC: figure(50)}),), (judged,))
    row = next(row for row in rows(made, "Table 7") if row["sd"] == "0.14")
    half = 4.302652729911275 * 0.14 / math.sqrt(3)  # t(2), 0.975
    gap = 50 - 49.21
    low, high = gap - math.sqrt(9 + half**2), gap + math.sqrt(4 + half**2)
    assert row["its 95 % interval"] == f"{low:.2f} to {high:.2f}"
    others = [row for row in rows(made, "Table 7") if row["sd"] != "0.14"]
    assert len(others) == 2  # the other two judges
    assert all(row["ours - theirs"] is None for row in others)


@given(
    value=st.floats(0, 100),
    below=st.floats(0.1, 20),
    above=st.floats(0.1, 20),
)
def test_differences_hold_our_own_interval(value: float, below: float, above: float) -> None:
    ours = Interval(value, value - below, value + above, 805, 805)
    for own in load_paper("mnpo").figures:
        if own.table not in ("2", "7") or own.number is None:
            continue
        gap, low, high = difference(ours, own)
        assert low is not None
        assert high is not None
        assert gap == value - own.number
        assert low <= gap - below + 1e-9
        assert high >= gap + above - 1e-9
        if not own.spread:
            assert math.isclose(low, gap - below, abs_tol=1e-9)


def test_only_numbers_are_subtracted_from() -> None:
    text = next(own for own in load_paper("mnpo").figures if own.table == "1")
    with pytest.raises(ValueError, match="no number"):
        difference(Interval(1.0, None, None, 1, 1), text)


def test_no_interval_of_ours_none_of_the_difference() -> None:
    bare = dataclasses.replace(figure(58), interval=Interval(58, None, None, 805, 805))
    row = next(r for r in rows(board((entry("mnpo", {LC: bare}),))) if r["ours: row"] == "mnpo")
    assert row["ours - theirs"] == "+0.73"
    assert row["95 % interval"] is None
    assert row["its 95 % interval"] is None


def test_tables_about_the_number_of_players_take_ours_with_as_many() -> None:
    facts = {"model": BASE, "methods": {"mnpo": {"num_players": 3}}}
    (row,) = rows(board(facts=facts), "Table 5")
    assert (row["theirs: row"], row["ours - theirs"]) == ("# Players (n) = 3", "+0.73")
    unknown = rows(board(), "Table 5")
    assert len(unknown) == 4
    assert all("players: ours unknown" in row["what differs"] for row in unknown)


def test_players_of_a_heterogeneous_method_stand_beside_each_annotator() -> None:
    made = board(
        tuple(
            entry(f"ht-mnpo/player-{i}", {LC: figure(50 + i)}, algorithm=f"ht-mnpo/player-{i}")
            for i in (1, 2)
        )
    )
    found = rows(made)
    assert len(found) == 6
    assert all("annotator: ours unknown, theirs" in row["also"] for row in found)


def test_iterations_and_base_models_are_matched() -> None:
    made = board(
        (entry("sppo", {LC: figure(38)}, iteration=3),),
        (column(judge="gpt-4-1106-preview"),),
        {"model": "meta-llama/Meta-Llama-3-8B-Instruct"},
    )
    (row,) = rows(made, "Table 1", "sppo")
    assert (row["theirs: row"], row["ours - theirs"]) == ("Llama-3-8B-SPPO Iter3", "-0.77")
    early = dataclasses.replace(made.sections[0].entries[0], iteration=7)
    section = dataclasses.replace(made.sections[0], entries=(early,))
    late = rows(dataclasses.replace(made, sections=(section,)), "Table 1", "sppo")
    assert len(late) == 3
    assert all("iteration: ours 7" in row["what differs"] for row in late)


def test_models_of_published_boards_are_compared_by_name() -> None:
    judged = column(judge="weighted_alpaca_eval_gpt4_turbo")
    made = board(
        (entry("claude-3-opus-20240229", {LC: figure(40.5)}, origin=""),),
        (judged,),
        {},
        "published",
    )
    (row,) = rows(made, "Table 2", "sppo")
    assert (row["theirs: row"], row["ours - theirs"]) == ("Claude 3 Opus", "0.0")
    assert row["also"] == "ours is a published board's figure"


@pytest.mark.shared_data
def test_what_papers_quote_of_other_models_is_the_leaderboards(shared_data: Path) -> None:
    """Two transcriptions that know nothing of each other: papers' tables and AlpacaEval's file."""
    name = "leaderboard_weighted_alpaca_eval_gpt4_turbo.csv"
    found = published_section(shared_data / "data" / "alpaca_eval" / name, "board")
    assert found is not None
    made = Board("Published", (found[1],), runs=(found[0],))
    off, checked = set(), 0
    for paper, table in (("inpo", "Table 1"), ("sppo", "Table 2")):
        for row in rows(made, table, paper):
            assert row["ours - theirs"] is not None
            checked += 1
            if float(row["ours - theirs"]):
                off.add((row["theirs: row"], row["theirs"], row["ours"]))
    assert checked == 24
    assert off == {
        ("GPT-3.5-turbo-0613", "22.7", "22.4"),
        ("LLaMA-3-8B-it", "24.8", "22.9"),
        ("Mistral 8x7B v0.1", "18.1", "18.3"),
    }


def test_what_was_not_measured_is_listed_with_what_differs() -> None:
    mini = column("mini-v1", "win_rate", "rule-x")
    made = board(
        (entry("mnpo", {mini.key: figure(20)}), entry("sft", {mini.key: figure(10)})),
        (mini,),
        {"model": "tiny"},
    )
    assert not rows(made)
    assert titled(made, "Order") is None
    table = titled(made, "Not comparable")
    assert table is not None
    first = dict(zip(table.header, table.rows[0], strict=True))
    assert first["theirs, as printed"] == "SFT Model 50.15; TD-MNPO 57.27"
    assert first["what differs"] == (
        "benchmark: ours mini-v1, theirs alpaca-eval-2; judge: ours rule-x, theirs GPT-5-mini; "
        "model: ours tiny, theirs Gemma-2-9B-it"
    )
    assert "SimPO" in table.notes[1]


def test_a_board_of_simulations_has_no_counterpart() -> None:
    (table,) = compare_with_papers(board(kind="simulator"), ("mnpo",))
    assert table.rows == ()
    assert "TD-MNPO" in table.notes[1]


def test_slips_of_the_paper_are_told_with_its_figures() -> None:
    table = titled(board(), "Beside")
    assert table is not None
    assert any("69.60" in note for note in table.notes)
    assert table.sources


def test_any_names_do() -> None:
    for table in compare_with_papers(boards.sample_board(), ("paper", "inpo", "sppo")):
        assert all(len(row) == len(table.header) for row in table.rows)


def test_unknown_papers_are_refused() -> None:
    with pytest.raises(UserError, match="no figures of a paper called 'dpo'"):
        compare_with_papers(board(), ("dpo",))
