"""An evaluation: each benchmark's figures from its verdicts, and the tables that repeat them."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.rows import read_rows
from evaluation.scores import Scores
from evaluation.statistics import Interval
from leaderboards.check.numbers import differences, same, shown
from leaderboards.check.recount import alpaca_eval, arena_hard, cross_play, mini, mt_bench
from leaderboards.check.recount.evaluation_run import Told, read_told
from leaderboards.check.recount.found import NotHere, Recount
from mnpo.errors import UserError

#: Benchmark (without its version) -> its figures from the files of the run.
_SCORERS: Mapping[str, Callable[[Told], Scores]] = {
    "mini": mini.score,
    "alpaca-eval": alpaca_eval.score,
    "arena-hard": arena_hard.score,
    "mt-bench": mt_bench.score,
    "cross-play": cross_play.score,
}


def recount_evaluation(run: Path, key: str) -> Iterator[Recount]:
    """Every benchmark under every judge, then the table over all.

    Raises:
        DamagedRun: the run cannot be read.
    """
    everything = list(read_told(run))
    for told in everything:
        judge = f", judge {told.judge}" if told.judge else ""
        what = f"{key}, {told.benchmark}{judge}"
        yield _benchmark(told, what)
    yield _table(run, everything, f"{key}, results.csv")


def _benchmark(told: Told, what: str) -> Recount:
    problems = [f"{what}: {line}" for line in _own_file(told)]
    scorer = next((own for name, own in _SCORERS.items() if told.benchmark.startswith(name)), None)
    if scorer is None:
        return Recount(what, 0, tuple(problems), "its verdicts are not kept in a form to score")
    try:
        scores = scorer(told)
        problems += [f"{what}: {line}" for line in _beneath(told)]
    except NotHere as error:
        return Recount(what, 0, tuple(problems), str(error))
    except UserError as error:
        return Recount(what, 0, (*problems, f"{what}: {error}"))
    figures, absent = 0, []
    anew = {own.model: own for own in scores.models}
    for model, own in told.models.items():
        if model not in anew:
            problems.append(f"{what}: {model} is in results.json, and has no verdicts")
            continue
        mine = anew[model]
        computed = dict(mine.metrics)
        computed |= {
            f"official/{name}": Interval(o.value, o.low, o.high, 0, 0)
            for name, o in mine.official.items()
        }
        problems += [f"{what}: {model}: {line}" for line in _repeated(own)]
        for name, said in figures_of(own).items():
            if name not in computed:
                absent.append(name)
                continue
            figures += 1
            for line in differences(said, computed[name]):
                problems.append(
                    f"{what}: {model}, {name}: {line}, in results.json and by the verdicts"
                )
    problems += [
        f"{what}: {model} has verdicts, and is not in results.json"
        for model in anew
        if model not in told.models
    ]
    for pair, line in _comparisons(told.entry, scores.describe()):
        figures += 1
        if line:
            problems.append(f"{what}: {pair}: {line}, in results.json and by the verdicts")
    names = ", ".join(dict.fromkeys(absent))
    return Recount(what, figures, tuple(problems), f"{names}: not computed here" if absent else "")


def _comparisons(told: Mapping[str, Any], anew: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each comparison of two models, from which ranks are made, and what of it differs."""
    by_pair = {_pair(own): own for own in anew["comparisons"]}
    for own in told["comparisons"]:
        pair, other = _pair(own), by_pair.get(_pair(own))
        if other is None:
            yield pair, "is there, and is not"
            continue
        lines = differences(Interval(**own["difference"]), Interval(**other["difference"]))
        lines += [
            f"{name} {shown(own[name])} and {shown(other[name])}"
            for name in ("p_value", "p_value_holm")
            if not same(own[name], other[name])
        ]
        yield pair, ", ".join(lines)


def _pair(own: Mapping[str, Any]) -> str:
    return f"{own['first']} minus {own['second']}, {own['metric']}"


def _repeated(own: Mapping[str, Any]) -> Iterator[str]:
    """The figures that stand at the top of a model's entry are those of its metrics."""
    headline = own["metrics"][own["headline"]]
    expected = {"score": headline["value"], "low": headline["low"], "high": headline["high"]}
    for name in ("win_rate", "length_controlled_win_rate"):
        expected[name] = own["metrics"].get(name, {}).get("value")
    for name, value in expected.items():
        if not same(own[name], value):
            yield f"results.json says {name} {shown(own[name])} and, in metrics, {shown(value)}"


def _beneath(told: Told) -> list[str]:
    """Of a pool: the file that ratings are made of, held to the verdicts."""
    return list(cross_play.wins_problems(told)) if told.benchmark == "cross-play" else []


def figures_of(model: Mapping[str, Any]) -> dict[str, Interval]:
    """Everything that ``results.json`` says of a model, by metric."""
    found = {name: Interval(**own) for name, own in model["metrics"].items()}
    found |= {
        f"official/{name}": Interval(own["value"], own["low"], own["high"], 0, 0)
        for name, own in model["official"].items()
    }
    return found


def _own_file(told: Told) -> Iterator[str]:
    """The benchmark's own results.json holds what the run's does."""
    file = told.folder / "results.json"
    try:
        own = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        yield f"{file} cannot be read ({error})"
        return
    if own != told.entry:
        yield f"{file} and the run's results.json do not say the same"


def _table(run: Path, everything: list[Told], what: str) -> Recount:
    """``results.csv`` repeats ``results.json``, row by row."""
    problems = []
    expected = [
        (told, model, name, found)
        for told in everything
        for model, own in told.models.items()
        for name, found in figures_of(own).items()
    ]
    try:
        rows = read_rows(run / "results.csv")
    except (UserError, csv.Error) as error:
        return Recount(what, 0, (f"{what}: {error}",))
    if len(rows) != len(expected):
        problems.append(f"{what}: {len(rows)} rows, and {len(expected)} figures in results.json")
    for row, (told, model, name, found) in zip(rows, expected, strict=False):
        where = f"{what}: {row.where.rpartition(', ')[2]}, {model}, {name}"
        values = row.values
        said = (values["benchmark"], values["judge"], values["metric"])
        if said != (told.benchmark, told.judge, name):
            problems.append(f"{where}: is of {' '.join(said)}, another one than in results.json")
            break
        try:
            one = _interval(values, official=name.startswith("official/"))
        except ValueError:
            problems.append(f"{where}: holds something that is no number")
            continue
        problems += [
            f"{where}: {line}, in results.csv and results.json" for line in differences(one, found)
        ]
    return Recount(what, 0, tuple(problems))


def _interval(values: Mapping[str, str], *, official: bool) -> Interval:
    """A row's figure; counts of official ones stand in the table alone."""
    low, high = (float(values[end]) if values[end] else None for end in ("low", "high"))
    n, clusters = (0, 0) if official else (int(values["n"]), int(values["clusters"]))
    return Interval(float(values["value"]), low, high, n, clusters)
