"""Runs that somebody changed, or that chance made look alike: nothing is pooled or believed."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.statistics import Interval
from evaluation.tidy import Origin, csv_text
from leaderboards.collect import collect_board
from leaderboards.collect.ranges import require_possible
from leaderboards.collect.seeds import within_seed
from leaderboards.render.write import render
from mnpo.errors import UserError
from mnpo.runs.directory import dump_yaml
from mnpo.runs.files import digest, sha256_file


def entries(board) -> dict[str, Any]:
    return {own.name: own for own in board.sections[0].entries}


def reseal(folder: Path, file: str, text: str) -> None:
    """Change a file and the hash that the manifest has of it."""
    (folder / file).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    if file == "run.yaml":
        import yaml

        manifest["config_sha256"] = digest(yaml.safe_load(text))
    elif file != "manifest.json" and "outputs" in manifest:
        manifest["outputs"][file] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def left_out(runs, bad: Path) -> str:
    """Why a run is left out beside a good one, whose board is made all the same."""
    good = runs.root / "good"
    board = collect_board([good if good.is_dir() else runs.simulation("good"), bad])
    assert [own.key for own in board.runs] == ["good"]
    (left,) = board.left_out
    assert left.what == str(bad)
    assert "\n" not in left.why
    return left.why


# Policies of one name in two experiments.


def models_of(method: str, seed: int, mark: str) -> dict[str, tuple[Origin, str]]:
    sha256 = hashlib.sha256(repr((method, seed, mark)).encode()).hexdigest()
    return {f"{method}-seed-{seed}": (Origin("run", method, None, seed), sha256)}


def test_policies_of_two_experiments_are_not_seeds_of_one(runs) -> None:
    one = runs.evaluation("one", models=models_of("mnpo", 0, "a"), home="run", noise=1)
    two = runs.evaluation("two", models=models_of("mnpo", 1, "b"), home="run", noise=2)
    board = collect_board([one, two])
    found = entries(board)
    assert set(found) == {"mnpo (run, evaluated in one)", "mnpo (run, evaluated in two)"}
    assert sorted(own.seeds for own in found.values()) == [(0,), (1,)]
    (note,) = [note for note in board.notes if "same one" in note]
    assert "one and two evaluated policies of a training run called run" in note
    # The same seed and another policy is no contradiction either: nobody said it was one run.
    again = runs.evaluation("again", models=models_of("mnpo", 0, "c"), home="run", noise=3)
    assert len(entries(collect_board([one, again]))) == 2


def test_the_training_run_vouches_for_its_seeds(runs) -> None:
    train = runs.training("train", seeds=(0, 1))
    one = runs.evaluation("one", models=runs.evaluated(["mnpo"], [0]), home="run", noise=1)
    two = runs.evaluation("two", models=runs.evaluated(["mnpo"], [1]), home="moved", noise=1)
    board = collect_board([train, one, two])
    assert entries(board)["mnpo"].seeds == (0, 1)
    assert entries(board)["mnpo"].figures["mini-v1/win_rate"].seeds == 2
    assert not [note for note in board.notes if "same one" in note]


def test_one_policy_in_two_evaluations_is_one_row(runs) -> None:
    models = {**models_of("mnpo", 0, "a"), **models_of("inpo", 0, "a")}
    one = runs.evaluation("one", models=models, home="run")
    two = runs.evaluation(
        "two",
        models={**models_of("mnpo", 0, "a"), **models_of("mnpo", 1, "a")},
        home="elsewhere/run",
        benchmark="arena-hard-v0.1",
        metric="score",
    )
    for order in ([one, two], [two, one]):
        found = entries(collect_board(order))
        assert found["mnpo"].seeds == (0, 1)
        assert set(found) == {"mnpo", "inpo"}


def test_two_policies_of_one_seed_in_one_evaluation(runs) -> None:
    models = models_of("mnpo", 0, "a")
    (other,) = models_of("mnpo", 0, "b").values()
    bad = runs.evaluation("bad", models={**models, "mnpo-again": other}, home="run")
    assert "two policies called mnpo, seed 0" in left_out(runs, bad)


# A policy that stood in several pools.


def test_a_seed_of_two_runs_counts_once(runs) -> None:
    """Of seed 1 there are two figures; the mean of seeds weighs it as the others."""
    values = {0: 0.5, 1: 0.6, 2: 0.8}
    a, b = (
        runs.training(name, seeds=seeds, value=lambda method, seed: values[seed])
        for name, seeds in (("a", (0, 1)), ("b", (1, 2)))
    )
    header, *lines = (b / "results.csv").read_text().splitlines()
    pool = [line for line in lines if ",1,1,cross-play,win_rate/pool," in line]
    before = "0.5499999999999999,0.49999999999999994,0.6,"
    higher = [line.replace(before, "0.65,0.6,0.7,") for line in pool]
    assert len({*pool, *higher}) == 4
    moved = dict(zip(pool, higher, strict=True))
    text = "\n".join([header, *(moved.get(line, line) for line in lines)]) + "\n"
    reseal(b, "results.csv", text)
    own = entries(collect_board([a, b]))["mnpo"].figures["cross-play/win_rate"]
    by_seed = [0.45, 0.6, 0.75]
    assert own.interval.value == pytest.approx(np.mean(by_seed))
    assert own.spread == pytest.approx(np.std(by_seed, ddof=1))
    assert (own.seeds, own.basis, len(own.sources)) == (3, "seeds and prompts", 4)
    assert "seed 1: mean over 2 pools, in which the other policies have other seeds" in own.flags


def test_the_start_has_no_seeds_to_count(runs) -> None:
    one = runs.training("a", seeds=(0,), start=0.40)
    other = runs.training("b", seeds=(7,), start=0.42)
    own = entries(collect_board([one, other]))["sft"].figures["cross-play/win_rate"]
    assert (own.seeds, own.basis, own.spread) == (0, "prompts", None)
    # The two share their prompts: their mean is no more certain than they are.
    assert own.interval.low == pytest.approx(0.41 - 0.05)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), min_size=1, max_size=5))
def test_a_mean_within_a_seed_is_no_narrower_than_its_parts(parts) -> None:
    found = within_seed(
        [Interval(value, value - half, value + half, 9, 9) for value, half in parts]
    )
    assert found.low <= found.value <= found.high
    assert found.high - found.low == pytest.approx(2 * np.mean([half for _, half in parts]))
    without = within_seed([Interval(0.1, None, None, 3, 3), Interval(0.3, 0.2, 0.4, 4, 2)])
    assert without == Interval(0.2, None, None, 7, 2)


# Two files of one run.


@pytest.mark.parametrize("part", ["value", "low", "high", "n", "clusters"])
def test_every_part_of_a_figure_is_held_to_the_other_file(runs, part: str) -> None:
    bad = runs.evaluation(models=runs.evaluated())
    whole = json.loads((bad / "results.json").read_text())
    own = whole["results"][0]["models"]["sft"]["metrics"]["win_rate"]
    own[part] += 1 if part in ("n", "clusters") else 1e-9
    reseal(bad, "results.json", json.dumps(whole))
    assert "do not hold the same figures" in left_out(runs, bad)


def test_what_failed_for_no_reason_is_told(runs) -> None:
    path = runs.evaluation(models=runs.evaluated(), status="failed")
    manifest = json.loads((path / "manifest.json").read_text()) | {"failures": []}
    (path / "manifest.json").write_text(json.dumps(manifest))
    (note,) = [own for own in collect_board([path]).notes if "failed in part" in own]
    assert note.endswith("run seals: its manifest gives no reason")


# Figures that cannot be.


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ((9417.66, None, None), "win_rate must be between 0 and 100, got 9417.66"),
        ((50.0, -50.0, 9999.0), "the interval of win_rate must be between 0 and 100, got -50"),
        ((50.0, 40.0, 100.1), "the interval of win_rate must be between 0 and 100, got 100.1"),
        ((50.0, 60.0, 70.0), "is no interval about 50"),
    ],
)
def test_figures_beyond_their_range(runs, figure, message: str) -> None:
    bad = runs.evaluation(models=runs.evaluated(["mnpo"]))
    whole = json.loads((bad / "results.json").read_text())
    own = whole["results"][0]["models"]["sft"]["metrics"]["win_rate"]
    lines = (bad / "results.csv").read_text().splitlines()
    old = f",{own['value']},{own['low']},{own['high']},"
    (place,) = [i for i, line in enumerate(lines) if old in line]
    new = ",".join("" if part is None else str(part) for part in figure)
    lines[place] = lines[place].replace(old, f",{new},")
    own.update(zip(("value", "low", "high"), figure, strict=True))
    reseal(bad, "results.csv", "\n".join(lines) + "\n")
    reseal(bad, "results.json", json.dumps(whole))
    assert f"row {place}: " in left_out(runs, bad)
    assert message in left_out(runs, bad)


@pytest.mark.parametrize(
    ("benchmark", "metric", "interval", "probability"),
    [
        ("mini-v1", "win_rate", Interval(100.0, 99.0, 100.0 + 1e-12, 9, 9), False),
        ("lm-eval", "official/accuracy", Interval(98.0, 94.0, 102.0, 9, 9), False),
        ("mt-bench", "score", Interval(11.0, None, None, 9, 9), False),
        ("cross-play", "response_tokens", Interval(700.0, 600.0, 800.0, 9, 9), True),
        ("training", "loss", Interval(-3.0, None, None, 9, 9), True),
        ("something", "else", Interval(-3.0, None, None, 9, 9), False),
    ],
)
def test_figures_within_their_range(benchmark, metric, interval, probability) -> None:
    require_possible(benchmark, metric, interval, probability=probability)


def test_a_probability_is_no_percentage() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, got 61"):
        require_possible(
            "cross-play", "win_rate/pool", Interval(61, None, None, 1, 1), probability=True
        )


def test_a_run_that_contradicts_itself_stops_no_board(runs) -> None:
    bad = runs.training()
    lines = (bad / "results.csv").read_text().splitlines()
    again = next(line for line in lines if "win_rate/against/sft" in line)
    reseal(bad, "results.csv", "\n".join([*lines, again.replace("0.6,", "0.61,")]) + "\n")
    assert f"row {len(lines)}: is about the same figure as another row" in left_out(runs, bad)


@pytest.mark.parametrize(("file", "old"), [("ledger.csv", ",10,"), ("training.csv", ",4.5,")])
def test_numbers_that_nothing_measures(runs, file: str, old: str) -> None:
    bad = runs.training()
    text = (bad / file).read_text()
    assert old in text
    reseal(bad, file, text.replace(old, ",1e308,", 1))
    board = collect_board([runs.simulation("good"), bad])
    assert any("cannot be 1e+308" in own.why for own in board.left_out)


# A chain's evaluation.


def chained(runs, *, policies: list[str], inputs: dict[str, str], noted: bool) -> list[str]:
    """The notes on a chain whose evaluation has these models."""
    chain = {"train": {"status": "done"}, "evaluate": {"status": "done"}}
    methods = [{"method": "mnpo", "seed": 0, "policies": policies}]
    train = runs.training(methods=["mnpo"])
    inner = runs.evaluation("train/evaluation", models=runs.evaluated(["mnpo"]))
    manifest = json.loads((inner / "manifest.json").read_text()) | {"inputs": inputs}
    (inner / "manifest.json").write_text(json.dumps(manifest))
    outer = json.loads((train / "manifest.json").read_text())
    chain["evaluate"]["manifest_sha256"] = (
        sha256_file(inner / "manifest.json") if noted else "0" * 64
    )
    outer |= {"chain": chain, "methods": methods}
    (train / "manifest.json").write_text(json.dumps(outer))
    board = collect_board([train])
    assert len(board.runs) == 2
    return [note for note in board.notes if note.startswith("train/evaluation")]


def test_an_evaluation_of_other_policies_in_a_chain(runs) -> None:
    inputs = {"model sft": "a" * 64, "model mnpo-seed-0": "c" * 64, "mini questions": "d" * 64}
    (note,) = chained(runs, policies=["b" * 64], inputs=inputs, noted=True)
    assert note == "train/evaluation evaluated other policies than train trained: mnpo-seed-0"


def test_an_evaluation_that_was_changed_after_its_chain(runs) -> None:
    inputs = {"model sft": "a" * 64, "model mnpo-seed-0": "b" * 64}
    (note,) = chained(runs, policies=["b" * 64], inputs=inputs, noted=False)
    assert "is not the evaluation that train ended with" in note


def test_a_chain_that_is_as_it_was_made(runs) -> None:
    inputs = {"model sft": "a" * 64, "model mnpo-seed-0": "b" * 64}
    assert not chained(runs, policies=["b" * 64], inputs=inputs, noted=True)


# Files that nobody can read.


@pytest.mark.parametrize("cell", ["one\rtwo", "x" * 140_000])
@pytest.mark.parametrize("file", ["results.csv", "ledger.csv", "training.csv"])
def test_tables_that_the_csv_module_refuses(runs, file: str, cell: str) -> None:
    bad = runs.training()
    header, first, *others = (bad / file).read_text().split("\n")
    name, _, rest = first.partition(",")
    reseal(bad, file, "\n".join([header, f"{name}{cell},{rest}", *others]))
    try:
        board = collect_board([runs.simulation("good"), bad])
    except UserError as error:  # pragma: no cover - tells which
        raise AssertionError(error) from None
    assert any(file in own.why for own in board.left_out)
    assert any(own.key == "good" for own in board.runs)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=4))
def test_every_text_comes_back_from_a_table(cells: list[str]) -> None:
    import csv
    import io

    text = csv_text(["a"] * len(cells), [cells, cells])
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    blank = cells == [""]  # written as "", which is a row
    assert read[1:] == ([[""], [""]] if blank else [cells, cells])
    assert list(csv.reader(io.StringIO(text))) == read


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]\n", "a: &a {b: *a}\n", "a: " + "[" * 200_000])
def test_yaml_without_end_leaves_one_run_out(runs, text: str) -> None:
    bad = runs.training()
    (bad / "run.yaml").write_text((bad / "run.yaml").read_text() + text)
    assert "run.yaml cannot be read" in left_out(runs, bad)


def test_formats_that_are_no_number(runs) -> None:
    bad = runs.training()
    manifest = json.loads((bad / "manifest.json").read_text())
    for found, message in ((True, "format True"), ("2", "a newer version wrote it"), ([], "[]")):
        (bad / "manifest.json").write_text(json.dumps(manifest | {"format": found}))
        assert message in left_out(runs, bad)


# Other types than every run writes.

VALUES: list[Any] = [None, [], "x", -1.5, {}, True, [1], {"a": {}}]
MAKE: dict[str, Callable[[Any], Path]] = {
    "training": lambda runs: runs.training("bad", wins=True),
    "evaluation": lambda runs: runs.evaluation("bad", models=runs.evaluated(["mnpo"])),
    "failed": lambda runs: runs.evaluation(
        "bad", models=runs.evaluated(["mnpo"]), status="failed", failures=["a: b"]
    ),
    "simulation": lambda runs: runs.simulation("bad", seeds=1, iterations=9),
}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of nested values, and the first of each list."""
    items = value.items() if isinstance(value, dict) else ()
    items = list(enumerate(value))[:1] if isinstance(value, list) else items
    for key, own in items:
        yield (*at, key)
        yield from places(own, (*at, key))


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("training", "manifest.json"),
        ("training", "run.yaml"),
        ("evaluation", "manifest.json"),
        ("evaluation", "run.yaml"),
        ("evaluation", "results.json"),
        ("failed", "manifest.json"),
        ("simulation", "manifest.json"),
        ("simulation", "run.yaml"),
    ],
)
@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_type_of_value_stops_a_board(runs, kind: str, file: str, data) -> None:
    import yaml

    good, bad = runs.root / "good", runs.root / "bad"
    if not good.is_dir():
        runs.simulation("good", seeds=2, iterations=9)
        MAKE[kind](runs)
    kept = {name: (bad / name).read_text() for name in (file, "manifest.json")}
    value = copy.deepcopy(yaml.safe_load(kept[file]))
    where = data.draw(st.sampled_from(sorted(places(value), key=str)))
    inner = value
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = data.draw(st.sampled_from(VALUES))
    try:
        reseal(bad, file, dump_yaml(value) if file == "run.yaml" else json.dumps(value))
        board = collect_board([good, bad])
        assert "good" in {own.key for own in board.runs}
        render(board)
    finally:
        for name, text in kept.items():
            (bad / name).write_text(text)


@pytest.mark.parametrize(
    ("kind", "file", "where", "value", "message"),
    [
        ("evaluation", "manifest.json", ("generated",), {"mini": []}, "generated.mini must be"),
        ("training", "manifest.json", ("data", "hashes"), None, "data.hashes must be keys and"),
        ("evaluation", "results.json", ("spend",), -1.5, "what was spent cannot be read"),
        ("evaluation", "run.yaml", ("models", 0, "name"), [], "models.0.name must be a text"),
        (
            "evaluation",
            "results.json",
            ("results", 0, "comparisons", 0, "p_value"),
            1.5,
            "comparisons in results.json",
        ),
    ],
)
def test_the_wrong_key_is_named(runs, kind, file, where, value, message) -> None:
    import yaml

    bad = MAKE[kind](runs)
    whole = yaml.safe_load((bad / file).read_text())
    inner = whole
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    reseal(bad, file, dump_yaml(whole) if file == "run.yaml" else json.dumps(whole))
    assert message in left_out(runs, bad)
