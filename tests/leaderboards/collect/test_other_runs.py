"""Suites, verifications, real simulations, and files of other people."""

import json

import numpy as np
import pytest

from evaluation.statistics import Interval, mean_interval
from leaderboards.claims.claim import Claim, Effort, Finding, Verdict
from leaderboards.claims.stored import findings_to_json
from leaderboards.collect import collect_board
from leaderboards.options import BoardOptions
from mnpo.errors import UserError

SUITE = "suite,version,regime,family,algorithm,metric,step_size,value,std,n,at_grid_end,note"
GAMES = "suite,version,regime,family,algorithm,seed,gap_last,gap_average,regularized_gap_last"


def suite(runs, *, wrong: float = 0.0):
    """Two families, two algorithms, five held-out games each; the third algorithm cannot play."""
    rng = np.random.default_rng(0)
    lines, games, values = [SUITE], [GAMES], {}
    for family in ("cyclic", "knob"):
        shared = rng.uniform(0.1, 0.3, 5)
        for algorithm, more in (("inpo", 0.02), ("mnpo", 0.0)):
            own = shared + more + rng.uniform(0, 0.005, 5)
            values[family, algorithm] = own
            for seed, value in enumerate(own):
                games.append(f"toy,1,exact,{family},{algorithm},{seed},{value},{value},{value}")
            for metric in ("gap_last", "gap_average", "regularized_gap_last"):
                mean = own.mean() + wrong
                lines.append(f"toy,1,exact,{family},{algorithm},{metric},0.5,{mean},0.1,5,true,")
        lines.append(f"toy,1,exact,{family},dpo,gap_last,,,,0,,cannot be played")
    files = {"suite.csv": "\n".join(lines) + "\n", "games.csv": "\n".join(games) + "\n"}
    return runs.write("suite", {"suite": "toy", "version": 1}, files), values


def test_a_suite(runs) -> None:
    folder, values = suite(runs)
    board = collect_board([folder])
    (section,) = board.sections
    assert section.title == "Simulator suite toy 1: exact"
    assert [own.key for own in section.columns][:3] == [
        *("all/gap_last", "cyclic/gap_last", "knob/gap_last"),
    ]
    assert [own.name for own in section.entries] == ["mnpo", "inpo"]
    figure = section.entries[1].figures["knob/gap_last"]
    expected = mean_interval(values["knob", "inpo"])
    assert figure.interval.value == pytest.approx(expected.value)
    assert figure.interval.high == pytest.approx(expected.high)
    assert figure.basis == "games"
    # The games differ more than the methods do: only pairs of one game tell them apart.
    assert figure.interval.low < section.entries[0].figures["knob/gap_last"].interval.value
    assert figure.rank == (2, 2)
    assert "end of the grid" in figure.flags[0]
    whole = section.entries[1].figures["all/gap_last"]
    means = [values[family, "inpo"].mean() for family in ("cyclic", "knob")]
    assert whole.interval.value == pytest.approx(np.mean(means))
    assert len(whole.sources) == 2
    assert whole.rank == (2, 2)
    halves = [
        2.7764451051977987 * np.std(values[family, "inpo"], ddof=1) / np.sqrt(5)
        for family in ("cyclic", "knob")
    ]  # Student's quantile of four degrees of freedom
    at_most = np.hypot(*halves) / 2
    assert 0.8 * at_most < whole.interval.high - whole.interval.value <= at_most
    only = collect_board([folder], BoardOptions(benchmarks=("knob",)))
    assert {own.benchmark for own in only.sections[0].columns} == {"knob"}


FAMILIES = (
    "suite,version,regime,family,in_mean,n,actions,contexts,players,gap_start,"
    "regularized_gap_start,gap_equilibrium"
)


def test_what_a_suite_is_held_against(runs) -> None:
    """The start, and the regularised equilibrium, whose own gap is not 0."""
    folder, _ = suite(runs)
    read = (folder / "suite.csv").read_text(), (folder / "games.csv").read_text()
    lines = [
        FAMILIES,
        "toy,1,exact,cyclic,True,5,3,1,2,0.4,0.3,0.02",
        "toy,1,exact,knob,True,5,3,1,2,0.2,0.1,0.04",
        "toy,1,noisy,knob,True,5,3,1,2,0.9,0.9,0.9",
    ]
    table = read[0].replace("cyclic,mnpo,gap_last,0.5", "cyclic,mnpo,gap_last,")
    table = table.replace("knob,mnpo,gap_last", "knob,mnpo,gap_last", 1)
    files = {"suite.csv": table, "games.csv": read[1], "families.csv": "\n".join(lines) + "\n"}
    again = runs.write("again", {"suite": "toy", "version": 1}, files)
    (section,) = collect_board([again]).sections
    by_name = {own.name: own.figures for own in section.entries}
    assert by_name.keys() == {"mnpo", "inpo", "(start)", "(equilibrium)"}
    start, equilibrium = by_name["(start)"], by_name["(equilibrium)"]
    assert start["knob/gap_last"].interval == Interval(0.2, None, None, 5, 5)
    assert start["cyclic/regularized_gap_last"].interval.value == 0.3
    assert start["all/gap_last"].interval.value == pytest.approx(0.3)
    assert equilibrium["all/gap_last"].interval.value == pytest.approx(0.03)
    assert "knob/regularized_gap_last" not in equilibrium
    assert equilibrium["knob/gap_last"].rank is None
    assert [own.file for own in start["all/gap_last"].sources] == ["families.csv"] * 2
    assert [own.row for own in start["all/gap_last"].sources] == [1, 2]
    assert "inpo" in by_name
    notes = " ".join(section.notes)
    assert "its duality gap is not 0" in notes
    assert "without a step size, so not tuned: mnpo" in notes
    assert "in 11 of 11 cells the best one is at an end of the grid" in notes
    only = collect_board([again], BoardOptions(benchmarks=("knob",)))
    assert "cyclic/gap_last" not in only.sections[0].entries[0].figures
    algorithms = collect_board([again], BoardOptions(algorithms=("inpo",))).sections[0]
    assert {own.name for own in algorithms.entries} == {"inpo", "(start)", "(equilibrium)"}


def test_a_suite_whose_means_are_not_those_of_its_games(runs) -> None:
    folder, _ = suite(runs, wrong=0.001)
    with pytest.raises(UserError, match=r"row 1 is not the mean of the games"):
        collect_board([folder])


def test_claims(runs) -> None:
    claim = Claim("reduction", "Two are two.", "Eq. 1", "compare", lambda effort: None)
    finding = Finding(Verdict.HOLDS, "", "difference", Interval(0.0, None, None, 3, 3))
    text = findings_to_json(((claim, finding),), Effort(seeds=3), "mnpo-bench verify")
    folder = runs.write("claims", {"claims": ["reduction"]}, {"claims.json": text})
    board = collect_board([folder])
    (table,) = board.tables
    assert table.rows[0][:3] == ("reduction: Two are two.", "Eq. 1", "holds")
    assert board.runs[0].kind == "claims"
    (folder / "claims.json").write_text(text.replace("holds", "fails"))
    with pytest.raises(UserError, match="sha256 differs"):
        collect_board([folder])


def test_a_real_simulation(tmp_path) -> None:
    from simulators.study import config, executors, plan, report, study

    settings = config.StudyConfig(
        algorithms=("inpo", "mwu"), iterations=30, seeds=2, mode="sampled"
    )
    made = study.run_study(
        settings, plan.make_plan(settings), tmp_path / "sim", executors.make_executor("local", 1)
    )
    report.write_reports(made, "mnpo-bench simulate")
    board = collect_board([tmp_path / "sim"])
    (section,) = board.sections
    by_name = {own.name: own for own in section.entries}
    assert by_name.keys() == {"inpo", "mwu"}
    gaps = [row["gap_last"] for row in made.rows if row["algorithm"] == "inpo"]
    assert by_name["inpo"].figures["cyclic/gap_last"].interval.value == np.mean(gaps)
    assert len(board.plots) == 2


def test_files_that_are_nothing(runs) -> None:
    file = runs.root / "notes.txt"
    file.write_text("hello")
    board = collect_board([runs.simulation(), file])
    assert "no published board or win matrix" in board.left_out[0].why
    with pytest.raises(UserError, match="no published board or win matrix"):
        collect_board([file])


def test_a_matrix_file(runs) -> None:
    file = runs.root / "pool.csv"
    file.write_text("policy,opponent,value,n\na,b,0.6,20\nb,c,0.7,20\na,c,0.8,20\n")
    board = collect_board([runs.simulation(), file])
    assert board.pools or board.left_out
    assert json.dumps(board.options)


def test_hostile_names_stay_text(runs) -> None:
    from evaluation.tidy import Origin

    name = "<img src=x onerror=alert(1)>\x1b[31m|\\input{x}"
    board = collect_board([runs.evaluation(models={name: (Origin("e", name), "a" * 64)})])
    assert board.sections[0].entries[0].name == name
