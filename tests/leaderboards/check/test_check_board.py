"""A board and its runs: whole, moved, and changed in every place where somebody could."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leaderboards.board import LeftOut
from leaderboards.check import Report, check_board
from leaderboards.collect import collect_board
from leaderboards.render import load_board, write_board
from mnpo.errors import UserError

JUDGED = "mini-v1/brevity-20/judgements/long.jsonl"
VERDICTS = "cross-play/brevity-20/verdicts.jsonl"


def found(report: Report, *parts: str) -> bool:
    """Whether one problem names all of these."""
    return any(all(part in line for part in parts) for line in report.problems)


def seal(run: Path, *names: str) -> None:
    """Make the manifest agree with files that were changed."""
    manifest = json.loads((run / "manifest.json").read_text())
    for name in names:
        manifest["outputs"][name] = hashlib.sha256((run / name).read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def board_anew(place: Path) -> None:
    """As somebody would who wants the board to look whole."""
    shutil.rmtree(place / "board")
    write_board(collect_board([place / "eval"]), place / "board")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def change_results(run: Path, *, everywhere: bool) -> str:
    """Another win rate for "long", in the table alone or in all files that repeat it.

    It still lies within its interval.
    """
    rows = list(csv.DictReader((run / "results.csv").open()))
    row = next(
        own
        for own in rows
        if (own["algorithm"], own["metric"], own["benchmark"]) == ("long", "win_rate", "mini-v1")
    )
    new = repr((float(row["value"]) + float(row["high"])) / 2)
    names = ["results.csv"]
    if everywhere:
        names += ["results.json", "mini-v1/brevity-20/results.json"]
    for name in names:
        text = (run / name).read_text()
        assert row["value"] in text
        (run / name).write_text(text.replace(row["value"], new))
    return new


def test_a_whole_board_is_sound_where_it_was_moved_to(place: Path) -> None:
    report = check_board(place / "board")
    assert report.problems == ()
    assert report.figures > 50
    assert report.files >= 4
    assert sum(report.recounted.values()) == (9 + 3) + (24 + 3)
    assert {what.split(", ")[1] for what in report.recounted} == {"mini-v1", "cross-play"}
    assert report.compared == {}
    assert any("all agree" in line for line in report.lines())


def test_the_board_may_be_named_by_its_file(place: Path) -> None:
    assert check_board(place / "board" / "leaderboard.json").sound


def test_a_board_within_its_run_may_be_renamed_with_it(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "eval", tmp_path / "eval")
    write_board(collect_board([tmp_path / "eval"]), tmp_path / "eval" / "leaderboard")
    (tmp_path / "eval").rename(tmp_path / "renamed")
    report = check_board(tmp_path / "renamed" / "leaderboard")
    assert report.problems == ()
    change(tmp_path / "renamed" / JUDGED, '"verdict": 0', '"verdict": 1')
    assert found(check_board(tmp_path / "renamed" / "leaderboard"), "eval, mini-v1", "long")


def test_notes_that_no_file_tells_are_told_to_be_unchecked(place: Path) -> None:
    board = load_board(place / "board")
    notes = (*board.notes, "dpo failed: the loss has no minimiser")
    write_board(replace(board, notes=notes), place / "board")
    report = check_board(place / "board")
    assert report.sound
    assert report.notes == ("not checked: note 'dpo failed: the loss has no minimiser'",)
    assert report.describe()["sound"] is True
    assert json.loads(json.dumps(report.describe()))["figures"] == report.figures


def test_what_was_left_out_and_cannot_be_given_again(place: Path) -> None:
    board = load_board(place / "board")
    left = (*board.left_out, LeftOut("runs/half", "it is not finished"))
    write_board(replace(board, left_out=left), place / "board")
    assert check_board(place / "board").sound


def test_what_was_only_compared_is_told(place: Path) -> None:
    (place / "eval" / "cross-play" / "brevity-20" / "crossplay-wins.parquet").unlink()
    report = check_board(place / "board")
    assert any("crossplay-wins.parquet is not there" in why for why in report.compared.values())
    assert any(line.startswith("only compared: eval, cross-play") for line in report.lines())


def test_a_run_that_is_gone(place: Path) -> None:
    shutil.rmtree(place / "eval")
    report = check_board(place / "board")
    assert found(report, "run eval", "is not there")


@pytest.mark.parametrize(
    ("path", "change_it", "parts"),
    [
        (
            ("sections", 0, "entries", 0, "figures"),
            lambda figures: next(iter(figures.values()))["interval"].update(value=12.25),
            ("interval > value", "12.25 on the board"),
        ),
        (
            ("sections", 0, "entries", 0, "figures"),
            lambda figures: next(iter(figures.values())).update(rank=[9, 9]),
            ("rank", "9 on the board"),
        ),
        (
            ("sections", 0, "entries"),
            lambda entries: entries.reverse(),
            ("entries: in another order on the board",),
        ),
        (
            ("sections", 0, "entries"),
            lambda entries: entries.pop(),
            ("in the files, and not on the board",),
        ),
        (("pools", 0, "wins", 0), lambda row: row.__setitem__(1, 0.123), ("wins", "0.123")),
        (
            ("pools", 0, "ratings", 0, "values", 0),
            lambda own: own.update(value=own["value"] + 1e-6),
            ("ratings", "value"),
        ),
    ],
    ids=["figure", "rank", "order", "row", "win", "rating"],
)
def test_a_change_of_the_json_file_is_found(
    place: Path, path: tuple[str | int, ...], change_it: Callable, parts: tuple[str, ...]
) -> None:
    file = place / "board" / "leaderboard.json"
    loaded = json.loads(file.read_text())
    here = loaded["board"]
    for part in path:
        here = here[part]
    change_it(here)
    file.write_text(json.dumps(loaded))
    write_board(load_board(place / "board"), place / "board")  # the other files follow
    assert found(check_board(place / "board"), *parts)


def test_the_last_digit_of_a_copy_counts(place: Path) -> None:
    file = place / "board" / "leaderboard.json"
    loaded = json.loads(file.read_text())
    figures = loaded["board"]["sections"][0]["entries"][0]["figures"]
    figure = next(own for own in figures.values() if len(own["sources"]) == 1)
    figure["interval"]["value"] += 1e-12
    file.write_text(json.dumps(loaded))
    write_board(load_board(place / "board"), place / "board")
    assert found(check_board(place / "board"), "interval > value")


def test_a_figure_that_the_json_file_gives_twice(place: Path) -> None:
    file = place / "board" / "leaderboard.json"
    text = file.read_text()
    file.write_text(text.replace('"value": ', '"value": 1.5, "value": ', 1))
    assert found(check_board(place / "board"), "leaderboard.json, line")


@pytest.mark.parametrize("form", ["csv", "md", "tex", "html"])
def test_a_change_of_another_file_is_found(place: Path, form: str) -> None:
    file = place / "board" / f"leaderboard.{form}"
    text = file.read_text()
    digit = next(c for c in reversed(text) if c in "123456789")
    at = text.rindex(digit)
    file.write_text(text[:at] + ("7" if digit != "7" else "8") + text[at + 1 :])
    report = check_board(place / "board")
    assert found(report, f"leaderboard.{form}, line")
    assert len(report.problems) == 1
    file.unlink()
    assert found(check_board(place / "board"), f"leaderboard.{form} cannot be read")


def test_a_changed_table_of_a_run(place: Path) -> None:
    new = change_results(place / "eval", everywhere=False)
    report = check_board(place / "board")
    assert found(report, "run eval", "results.csv has changed")
    assert found(report, "is not what the run wrote")
    assert found(report, "results.csv", f"long, win_rate: value {new} and")


def test_a_changed_table_whose_hash_was_mended_too(place: Path) -> None:
    new = change_results(place / "eval", everywhere=False)
    seal(place / "eval", "results.csv")
    report = check_board(place / "board")
    assert found(report, "run eval", "manifest.json has changed")
    assert found(report, "results.csv", f"long, win_rate: value {new} and")
    assert found(report, "do not hold the same figures")


def test_figures_changed_in_every_file_and_the_board_made_anew(place: Path) -> None:
    new = change_results(place / "eval", everywhere=True)
    seal(place / "eval", "results.csv", "results.json", "mini-v1/brevity-20/results.json")
    board_anew(place)
    report = check_board(place / "board")
    assert len(report.problems) == 1, report.problems
    assert found(report, "mini-v1", f"long, win_rate: value {new} and", "by the verdicts")


@pytest.mark.parametrize("sealed", [False, True])
def test_a_changed_verdict(place: Path, sealed: bool) -> None:
    lines = (place / "eval" / JUDGED).read_text().splitlines()
    row = json.loads(lines[0])
    row["verdict"] = 1.0 if row["verdict"] < 0.9 else 0.0
    (place / "eval" / JUDGED).write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n")
    if sealed:
        seal(place / "eval", JUDGED)
        board_anew(place)
    report = check_board(place / "board")
    assert found(report, "mini-v1", "long, win_rate: value", "by the verdicts")
    assert found(report, f"{JUDGED} is not what the run wrote") is not sealed


def test_a_verdict_that_was_taken_out(place: Path) -> None:
    lines = (place / "eval" / JUDGED).read_text().splitlines()
    (place / "eval" / JUDGED).write_text("\n".join(lines[2:]) + "\n")
    assert found(check_board(place / "board"), "mini-v1", "n 10 and 9")


def test_a_changed_verdict_of_a_pool(place: Path) -> None:
    lines = (place / "eval" / VERDICTS).read_text().splitlines()
    row = json.loads(lines[0])
    row["preference_for_shown_first"] = 1 - row["preference_for_shown_first"]
    (place / "eval" / VERDICTS).write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n")
    seal(place / "eval", VERDICTS)
    board_anew(place)
    report = check_board(place / "board")
    assert found(report, "cross-play", "by the verdicts")
    assert found(report, "crossplay-wins.parquet, question")


def test_changed_win_rates_of_a_pool(place: Path) -> None:
    from evaluation.pool.wins_file import read_wins, wins_bytes

    name = "cross-play/brevity-20/crossplay-wins.parquet"
    file = place / "eval" / name
    ((judge, own),) = read_wins(file.read_bytes()).items()
    own.wins.wins[0, 0, 1], own.wins.wins[0, 1, 0] = 0.9, 0.1
    file.write_bytes(wins_bytes({judge: own.wins}, own.prompts))
    seal(place / "eval", name)
    board_anew(place)
    assert found(check_board(place / "board"), "crossplay-wins.parquet, question", "0.9")


def test_a_changed_comparison_of_two_models(place: Path) -> None:
    run = place / "eval"
    old = json.loads((run / "results.json").read_text())["results"][0]["comparisons"][0]
    assert old["p_value_holm"] is not None
    for name in ("results.json", "mini-v1/brevity-20/results.json"):
        loaded = json.loads((run / name).read_text())
        (loaded if name.startswith("mini") else loaded["results"][0])["comparisons"][0][
            "p_value_holm"
        ] = 0.75
        (run / name).write_text(json.dumps(loaded, indent=1) + "\n")
    seal(run, "results.json", "mini-v1/brevity-20/results.json")
    board_anew(place)
    report = check_board(place / "board")
    assert found(report, "short minus middle, win_rate: p_value_holm 0.75 and")


def test_a_score_that_is_not_its_metric(place: Path) -> None:
    for name in ("results.json", "mini-v1/brevity-20/results.json"):
        file = place / "eval" / name
        loaded = json.loads(file.read_text())
        own = loaded if name.startswith("mini") else loaded["results"][0]
        own["models"]["long"]["score"] = 50.0
        file.write_text(json.dumps(loaded, indent=1) + "\n")
    assert found(check_board(place / "board"), "long: results.json says score 50.0 and, in metrics")


def test_tables_that_do_not_agree(place: Path) -> None:
    change(place / "eval" / "mini-v1/brevity-20/results.json", '"n": 10', '"n": 11')
    assert found(check_board(place / "board"), "do not say the same")


def test_a_broken_file_of_a_run_is_one_line(place: Path) -> None:
    (place / "eval" / "results.json").write_text("{")
    (place / "eval" / JUDGED).write_text('{"judge"')
    report = check_board(place / "board")
    assert found(report, "results.json cannot be read")
    assert all("\n" not in line for line in report.problems)


def test_many_differences_are_counted_not_listed(place: Path) -> None:
    file = place / "board" / "leaderboard.json"
    loaded = json.loads(file.read_text())
    for entry in loaded["board"]["sections"][0]["entries"]:
        for figure in entry["figures"].values():
            figure["interval"]["n"] += 1
            figure["interval"]["clusters"] += 1
            figure["seeds"] += 1
    file.write_text(json.dumps(loaded))
    report = check_board(place / "board")
    assert found(report, "more differences of this kind")
    assert len(report.problems) < 40


def test_what_is_no_board_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        check_board(tmp_path)
