"""What an evaluation found: every benchmark's figures, and its paired comparisons."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from evaluation.pool.wins_file import WINS
from leaderboards.collect.costs import tokens_of
from leaderboards.collect.evaluation_conditions import (
    AGAINST,
    answers_of,
    conditions_of,
    exact_pool,
    pool_of,
    questions_of,
)
from leaderboards.collect.measurements import Material, Measurement, Paired
from leaderboards.collect.metrics import family_of
from leaderboards.collect.opening import Opened
from leaderboards.collect.policies import Policies
from leaderboards.collect.rows import RESULTS, Row, read_rows
from mnpo.errors import DamagedRun

WHOLE = "results.json"
#: Shown beside each benchmark's headline.
_BESIDE = {
    "alpaca-eval": ("win_rate",),
    "cross-play": ("win_rate/worst_opponent", "exploitability"),
}


def read_evaluation(opened: Opened, key: str, policies: Policies) -> Material:
    """Rows and comparisons of an evaluation.

    Raises:
        DamagedRun: a file that is missing, damaged or broken; two files that do not agree; or
            results of an attempt before the last.
    """
    opened.require(WINS)
    rows = read_rows(opened, key)
    whole = _whole(opened)
    homes = _homes(opened.config)
    understood = _with_models(opened, rows, whole)
    found = Material()
    found.spend = _spend(opened, whole)
    found.paired = [own for result in whole["results"] for own in _paired(result, key, opened)]
    tokens_of(opened)
    first: dict[str, tuple[Row, str]] = {}
    for row, model, _ in understood:
        first.setdefault(model, (row, homes.get(model) or row.run))
    policies.introduce(key, list(first.values()))
    owners = {model: policies.evaluated(row, home) for model, (row, home) in first.items()}
    pool, exact = pool_of(understood, owners), exact_pool(understood)
    common = {"answers": answers_of(opened.config)}
    if opened.config.get("limit") is not None:
        common["limit"] = str(opened.config["limit"])
    for row, model, told in understood:
        conditions = conditions_of(opened, row, common, pool, owners)
        if conditions is None:
            continue
        family = family_of(row.benchmark)
        beside = _BESIDE.get(family, ())
        headline = row.metric == told["headline"] or row.metric in beside
        if family == "cross-play" and row.metric.startswith(AGAINST):
            headline = owners[row.metric.removeprefix(AGAINST)].algorithm == "sft"
        found.measurements.append(
            Measurement(
                row,
                owners[model],
                row.judge,
                conditions,
                headline=headline,
                model=model,
                pool=exact[row.benchmark, row.judge] if "pool" in conditions else "",
                flags=_flags(told) if row.metric == told["headline"] else (),
                on=questions_of(opened.config) if family == "cross-play" else "",
            )
        )
    return found


def failures(opened: Opened) -> list[str]:
    """Of an evaluation that failed: which benchmarks, and why, one line each."""
    found = opened.manifest.get("failures", [])
    return [str(own) for own in found] if isinstance(found, list) else []


def _whole(opened: Opened) -> dict[str, Any]:
    text = opened.text(WHOLE)
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("results"), list):
        raise DamagedRun(f"{opened.path}: {WHOLE} cannot be read; run the command again")
    if opened.status == "failed" and loaded.get("failures") != opened.manifest.get("failures"):
        raise DamagedRun(
            f"{opened.path}: its results are of an attempt before the last one, which failed; "
            "repeat its command to go on"
        )
    return loaded


def _with_models(
    opened: Opened, rows: Sequence[Row], whole: Mapping[str, Any]
) -> list[tuple[Row, str, Mapping[str, Any]]]:
    """Each row with the name of its model and what results.json says of it.

    The table holds the rows of each result, model by model, in the order of results.json.
    """
    found: list[tuple[Row, str, Mapping[str, Any]]] = []
    remaining = iter(rows)
    try:
        for result in whole["results"]:
            for model, told in result["models"].items():
                if not isinstance(told["flags"], list) or type(told["missing"]) is not int:
                    raise ValueError
                for metric, figure in _figures(told):
                    row = next(remaining)
                    said = (row.benchmark, row.judge, row.metric)
                    if said != (result["benchmark"], result["judge"], metric):
                        raise ValueError
                    if any(getattr(row.interval, name) != own for name, own in figure.items()):
                        raise ValueError
                    found.append((row, model, told))
        if next(remaining, None) is not None:
            raise ValueError
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration):
        raise DamagedRun(
            f"{opened.path}: {RESULTS} and {WHOLE} do not hold the same figures, or one of them "
            "cannot be read; run the command again to write both anew"
        ) from None
    return found


def _figures(told: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Metrics with their figures; the counts behind official ones stand in the table alone."""
    for name, own in told["metrics"].items():
        yield name, {part: own[part] for part in ("value", "low", "high", "n", "clusters")}
    for name, own in told["official"].items():
        yield f"official/{name}", {part: own[part] for part in ("value", "low", "high")}


def _spend(opened: Opened, whole: Mapping[str, Any]) -> list[str]:
    lines = whole.get("spend", [])
    if not isinstance(lines, list):
        raise DamagedRun(
            f"{opened.path}: what was spent cannot be read in {WHOLE}; run the command again"
        )
    return [str(line) for line in lines]


def _homes(config: Mapping[str, Any]) -> dict[str, str]:
    """Model -> the folder of the training run that it lies in, as the settings have it."""
    homes = {}
    for own in config.get("models", []):
        model = own.get("model") if isinstance(own, Mapping) else None
        path = PurePath(str(model.get("name"))) if isinstance(model, Mapping) else None
        if path is not None and path.parent.name == "policies":
            homes[str(own["name"])] = str(path.parent.parent)
    return homes


def _flags(told: Mapping[str, Any]) -> tuple[str, ...]:
    flags = [str(flag) for flag in told["flags"]]
    if told["missing"]:
        flags.insert(0, f"{told['missing']} items are missing and left out")
    return tuple(flags)


def _paired(result: Mapping[str, Any], key: str, opened: Opened) -> list[Paired]:
    try:
        return [
            Paired(
                key,
                result["benchmark"],
                result["judge"],
                _text(own["metric"]),
                _text(own["first"]),
                _text(own["second"]),
                _probability(own["p_value"]),
                _probability(own["p_value_holm"]),
            )
            for own in result["comparisons"]
        ]
    except (KeyError, TypeError):
        raise DamagedRun(
            f"{opened.path}: the comparisons in {WHOLE} cannot be read; run the command again"
        ) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _probability(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise TypeError
    return float(value)
