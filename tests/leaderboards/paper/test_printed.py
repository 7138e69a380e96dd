"""The papers' figures as data: digit for digit, and every name in them one of ours."""

import json
import math
from pathlib import Path

import pytest

from evaluation.alpaca_eval.scoring import NAME as ALPACA_EVAL
from evaluation.arena_hard.versions import VERSIONS
from evaluation.harness.suite import TASKS
from evaluation.mt_bench.scoring import NAME as MT_BENCH
from leaderboards.collect.names import LABELS
from leaderboards.paper.printed import PAPERS, Printed, find_papers, load_paper
from mnpo.errors import UserError

#: Rows whose printed mean is not that of the row: slips of the paper.
WRONG_MEANS = {("mnpo", "3", "SimPO"), ("mnpo", "3", "SPPO")}
BENCHMARKS = {ALPACA_EVAL, MT_BENCH, "lm-eval", *(v.benchmark for v in VERSIONS.values())}


def one(paper: str, table: str, row: str, column: str) -> Printed:
    found = [
        own
        for own in load_paper(paper).figures
        if (own.table, own.row, own.column) == (table, row, column)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", PAPERS)
def test_every_figure_is_the_transcribed_one(name: str, shared_data: Path) -> None:
    text = (shared_data / "data" / "paper" / f"{name}_tables.json").read_text()
    theirs = {
        (cell["table"], cell["row"], cell["column"]): cell["value"]
        for cell in json.loads(text)["cells"]
        if cell["table"] != "9"  # formulas, not transcribed
    }
    ours = {(own.table, own.row, own.column): own.value for own in load_paper(name).figures}
    assert ours == theirs
    assert len(ours) == len(load_paper(name).figures)


@pytest.mark.shared_data
def test_every_slip_of_the_paper_is_in_its_notes(shared_data: Path) -> None:
    text = (shared_data / "data" / "paper" / "mnpo_tables.json").read_text()
    slips = [check for check in json.loads(text)["checks"] if not check["ok"]]
    assert len(slips) == 4
    notes = load_paper("mnpo").notes
    for slip in slips:
        about = [note for note in notes if note.startswith(f"Table {slip['table']}")]
        assert any(f"{slip['printed']:.2f}" in note for note in about), slip


@pytest.mark.parametrize("name", PAPERS)
def test_benchmarks_metrics_and_methods_are_ours(name: str) -> None:
    for own in load_paper(name).figures:
        assert not own.method or own.method in LABELS, own
        assert bool(own.benchmark) == bool(own.metric), own
        assert not own.benchmark or own.benchmark in BENCHMARKS, own
        if own.benchmark == "lm-eval":
            kind, task, *part = own.metric.split("/")
            assert kind == "accuracy"
            parts = {metric.part for metric in TASKS[task].metrics} | {"mean-over-subjects"}
            assert not part or part[0] in parts
        if own.benchmark:
            assert own.number is not None or own.value == "-", own
            assert own.unit


@pytest.mark.parametrize("name", PAPERS)
def test_printed_means_are_those_of_their_rows_but_for_the_known_slips(name: str) -> None:
    rows: dict[tuple[str, str], list[Printed]] = {}
    for own in load_paper(name).figures:
        rows.setdefault((own.table, own.row), []).append(own)
    checked = 0
    for (table, row), cells in rows.items():
        means = [own for own in cells if own.column in ("AVG", "Average")]
        for mean in means:
            parts = [own.number for own in cells if own is not mean and own.number is not None]
            computed = math.fsum(parts) / len(parts)
            # Half a digit of the mean, and as much of each of its parts.
            slack = 10.0**-mean.decimals * 1.01
            assert mean.number is not None
            right = abs(mean.number - computed) <= slack
            assert right == ((name, table, row) not in WRONG_MEANS), (table, row, computed)
            checked += 1
    assert checked == {"mnpo": 18, "inpo": 8, "sppo": 23}[name]


def test_digits_survive() -> None:
    assert one("mnpo", "4", "SFT Model", "AIME-24").value == "0"
    assert one("inpo", "1", "SFT Model", "AlpacaEval 2.0").value == "16.0"
    assert one("mnpo", "2", "HT-MNPO (Skywork-Reward-V2)", "MT-Bench").value == "7.40"


def test_what_holds_for_a_table_a_column_and_a_row_reaches_the_figure() -> None:
    under = one("mnpo", "7", "MNPO", "GPT-4.1 mean")
    assert (under.method, under.judge, under.spread, under.seeds) == ("mnpo", "GPT-4.1", "0.14", 3)
    assert under.base == "Gemma-2-9B-it"
    three = one("mnpo", "8", "Athene-RM-8B", "3-player HT-MNPO")
    assert (three.method, three.annotator, three.players) == ("ht-mnpo", "Athene-RM-8B", 3)
    last = one("sppo", "1", "Llama-3-8B-SPPO Iter3", "Win Rate")
    assert (last.method, last.iteration, last.base) == ("sppo", 3, "Llama-3-8B-Instruct")
    arc = one("mnpo", "3", "DPO", "ARC")
    assert [line.partition(":")[0] for line in arc.differs] == ["prompts", "documents"]


def test_table_one_is_text() -> None:
    rows = {own.row for own in load_paper("mnpo").figures if own.table == "1"}
    assert {"SimPO", "DPO", "SPPO", "IPO", "INPO", "SPIN", "DNO"} <= rows
    assert one("mnpo", "1", "SPPO", "Opponents").number is None


def test_papers_by_name() -> None:
    assert [paper.name for paper in find_papers(("paper", "sppo", "mnpo"))] == ["mnpo", "sppo"]
    with pytest.raises(UserError, match="called 'inpoo'; did you mean 'inpo'"):
        find_papers(("inpoo",))
