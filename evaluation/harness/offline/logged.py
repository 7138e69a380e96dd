"""lm-eval's own logged samples: means recomputed, and compared with what its results say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.gaps import Gap, require_whole
from evaluation.harness.figures import NONE, official, read_values, require_agreement
from evaluation.harness.offline.completeness import require_inside, require_once
from evaluation.harness.offline.found import one_model
from evaluation.harness.offline.numbers import is_finite
from evaluation.harness.suite import TASKS
from evaluation.rows import Row, read_rows, read_text
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.printable import shown
from mnpo.runs.files import sha256_file

#: IFEval's metrics of which a document has as many values as it has instructions.
_OF_INSTRUCTIONS = "inst_level_"


def is_logged(row: Row) -> bool:
    """Whether a row is one of lm-eval's logged samples."""
    return {"doc_id", "filter", "metrics", "resps"} <= set(row.values)


def find_logged(folder: Path, task: str) -> tuple[list[Path], Path | None]:
    """The samples of a task and the results in a folder that lm-eval wrote.

    Raises:
        InvalidSetting: none or several runs.
    """
    names = [task, *(name for name, _ in TASKS[task].definitions)] if task in TASKS else [task]
    if task in TASKS and len(TASKS[task].metrics) > 0 and TASKS[task].metrics[0].unit:
        names = [TASKS[task].metrics[0].unit]
    stems = [name.replace("{subject}", "") for name in names]
    samples = sorted(
        path
        for path in folder.glob("samples_*.jsonl*")
        if any(
            path.name.startswith(f"samples_{stem}" + ("" if stem.endswith("_") else "_"))
            for stem in stems
        )
    )
    results = sorted(folder.glob("results_*.json*"))
    if not samples:
        raise InvalidSetting(f"{folder}: holds no samples_{task}_*.jsonl")
    if len(results) > 1:
        raise InvalidSetting(
            f"{folder}: holds results of {len(results)} runs; name one with --results, and its "
            "samples with --outputs"
        )
    return samples, results[0] if results else None


def score_logged(
    paths: Sequence[Path], results_path: Path | None, task: str, *, model: str, allow_missing: bool
) -> Scores:
    """Means over logged samples.

    Every metric and filter is recomputed; where lm-eval's figure is their mean, it must agree.

    Args:
        paths: samples_*.jsonl, one for each of lm-eval's tasks.
        results_path: results_*.json of the same run; None leaves the comparison out.
        task: of the suite, or lm-eval's name of any.
        model: name.
        allow_missing: score although documents are missing.

    Raises:
        UserError: a sample is not what it should be, documents missing or twice.
        DamagedRun: the results are not the mean of the samples.
    """
    results = {} if results_path is None else _results(results_path)
    known = TASKS.get(task)
    files = {_unit(path, results): read_rows(path) for path in paths}
    keys = _keys([row for rows in files.values() for row in rows])
    if known is not None:
        keys = [own.key for own in known.metrics if own.key in keys] or keys
        if known.metrics[0].key not in keys:
            raise UserError(f"{paths[0]}: has no {known.metrics[0].key} of {known.title}")
    n = missing = expected = 0
    compared = True
    notes: list[str] = []
    if known is None:
        keys, notes = _without_lists(keys, files)
    pooled = dict.fromkeys(keys, NONE)
    for unit, rows in files.items():
        official_size = known.size if known and len(files) == 1 else None
        size = _expected(unit, results) or official_size
        bounds = [own for own in (_bound(unit, results), official_size) if own is not None]
        _require_documents(rows, min(bounds, default=None))
        documents = {int(row.values["doc_id"]) for row in rows}
        if size is not None and len(documents) > size:
            raise UserError(f"{rows[0].where}: {len(documents)} documents, expected {size}")
        expected += size if size is not None else len(documents)
        usable: set[int] = set()
        for key in keys:
            _require_values(rows, key, results, unit)
            values = read_values(unit, [_sample(row) for row in rows], key)
            if key == keys[0]:
                usable = {number for _, number in values.documents}
            pooled[key] += values
            if results:
                if _is_mean(unit, key, results):
                    require_agreement(unit, key, values, results["results"].get(unit, {}))
                else:
                    compared = False
                    notes.append(f"{unit}: {key} is no mean in lm-eval and was not compared")
        n += len(usable)
    if known is not None and expected > known.size:
        raise UserError(
            f"{paths[0].parent}: {expected} documents, and {known.title} has {known.size}"
        )
    missing = max(expected - n, 0)
    where = paths[0] if len(paths) == 1 else paths[0].parent
    gap = Gap(str(where), "documents", {"no usable sample": missing}, expected)
    require_whole([gap], allow_missing)
    labels = {key: _label(task, key) for key in keys}
    figures = {labels[key]: values.values for key, values in pooled.items() if _is_share(values)}
    if not figures:
        raise UserError(f"{where}: {', '.join(keys)} are no shares between 0 and 1")
    theirs = {}
    if len(files) == 1 and results:
        (unit,) = files
        for key in keys:
            own = official(key, results["results"].get(unit, {}))
            if own is not None and labels[key] in figures:
                theirs[labels[key]] = own
    return one_model(
        task,
        model,
        figures,
        {labels[key]: values.clusters for key, values in pooled.items()},
        n=n,
        missing=missing,
        official=theirs,
        flags=[f"{missing} of {expected} documents are missing"] if missing else [],
        hashes={f"outputs/{path.name}": sha256_file(path) for path in paths},
        settings={"metric": keys[0]},
        notes=notes
        + (["recomputed means agree with lm-eval's results"] if results and compared else []),
    )


def _results(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError):
        raise UserError(f"{path}: is no JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        raise UserError(f"{path}: holds no results of lm-eval")
    for part in ("results", "n-samples", "configs"):
        own = found.get(part, {})
        if not isinstance(own, dict):
            raise UserError(f"{path}: {part} is {shown(own, 40)}, expected an object")
        for unit, values in own.items():
            if not isinstance(values, dict):
                raise UserError(f"{path}: {part}: {unit} is {shown(values, 40)}, not an object")
    for unit, figures in found["results"].items():
        for name, value in figures.items():
            if isinstance(value, int) and not isinstance(value, bool) and not is_finite(value):
                raise UserError(f"{path}: {unit}: {name} is {shown(value, 40)}, no figure")
    for unit, config in found.get("configs", {}).items():
        metrics = config.get("metric_list") or []
        if not isinstance(metrics, list) or not all(isinstance(own, dict) for own in metrics):
            raise UserError(
                f"{path}: configs: {unit}: metric_list is {shown(metrics, 40)}, not a list of "
                "objects"
            )
    return found


def _unit(path: Path, results: Mapping[str, Any]) -> str:
    """lm-eval's name of the task; the file's name has it between samples_ and the date."""
    stem = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    stem = stem.removeprefix("samples_")
    named = [name for name in results.get("results", {}) if stem == name or stem.startswith(name)]
    if named:
        return str(max(named, key=len))
    if results:
        raise UserError(f"{path}: the results have no task of its name")
    return stem.rpartition("_")[0] or stem


def _keys(rows: Sequence[Row]) -> list[str]:
    """METRIC,FILTER of everything logged, in order."""
    found: dict[str, None] = {}
    for row in rows:
        _require_sample(row)
        for metric in row.values["metrics"]:
            found.setdefault(f"{metric},{row.values['filter']}")
    if not found:
        raise UserError("the samples have no metrics")
    return list(found)


def _require_sample(row: Row) -> None:
    if not is_logged(row):
        raise UserError(f"{row.where}: is no logged sample of lm-eval")
    values = row.values
    metrics = values["metrics"]
    if not isinstance(metrics, list) or not all(isinstance(own, str) for own in metrics):
        raise UserError(f"{row.where}: metrics must be a list of names, got {shown(metrics, 40)}")
    if not isinstance(values["filter"], str):
        raise UserError(f"{row.where}: filter must be a text, got {shown(values['filter'], 40)}")
    if not isinstance(values.get("filtered_resps", []), list):
        raise UserError(
            f"{row.where}: filtered_resps must be a list, got {shown(values['filtered_resps'], 40)}"
        )
    if isinstance(values["doc_id"], bool) or not isinstance(values["doc_id"], int):
        raise UserError(f"{row.where}: doc_id is {shown(values['doc_id'], 40)}")


def _require_documents(rows: Sequence[Row], size: int | None) -> None:
    ids = [row.values["doc_id"] for row in rows]
    require_once([(row.values["doc_id"], row.values["filter"]) for row in rows], rows, "document")
    # lm-eval numbers documents from 0; of how many is not always known.
    require_inside(ids, rows, 2**63 if size is None else size)


def _require_values(rows: Sequence[Row], key: str, results: Mapping[str, Any], unit: str) -> None:
    """Refuse what is no figure of a document.

    Several values in one document are right only where each is of one of its instructions; a list
    elsewhere holds what lm-eval would aggregate in a way of its own.
    """
    metric, _, chosen = key.rpartition(",")
    several = metric.startswith(_OF_INSTRUCTIONS) or "agg_inst_level_acc" in _aggregation(
        unit, key, results
    )
    for row in rows:
        value = row.values.get(metric)
        if row.values["filter"] != chosen or value is None:
            continue
        parts = value if isinstance(value, list) and several else [value]
        for part in parts:
            # NaN is how lm-eval logs that it has no value; that document is missing.
            if not (is_finite(part) or isinstance(part, (bool, float))):
                raise UserError(
                    f"{row.where}: {metric} is {shown(value, 40)}, expected "
                    + ("numbers" if several else "one number for the document")
                )


def _without_lists(
    keys: Sequence[str], files: Mapping[str, Sequence[Row]]
) -> tuple[list[str], list[str]]:
    """The keys that have figures, and a note on each other one, as long as one is left."""
    lists = {key: unit for unit, rows in files.items() for key in keys if _only_lists(rows, key)}
    lists = {key: unit for key, unit in lists.items() if not key.startswith(_OF_INSTRUCTIONS)}
    left = [key for key in keys if key not in lists]
    if not left:
        return list(keys), []
    said = "is a list in every row, no share, and was left out"
    return left, [f"{unit}: {key} {said}" for key, unit in lists.items()]


def _only_lists(rows: Sequence[Row], key: str) -> bool:
    metric, _, chosen = key.rpartition(",")
    own = [row.values.get(metric) for row in rows if row.values["filter"] == chosen]
    return bool(own) and all(isinstance(value, list) for value in own)


def _sample(row: Row) -> dict[str, Any]:
    return {"doc_hash": str(row.values["doc_id"]), **row.values}


def _expected(unit: str, results: Mapping[str, Any]) -> int | None:
    counts = results.get("n-samples", {}).get(unit, {})
    return _count(counts.get("effective"))


def _bound(unit: str, results: Mapping[str, Any]) -> int | None:
    """How many documents the task has, of which lm-eval may have taken some."""
    return _count(results.get("n-samples", {}).get(unit, {}).get("original"))


def _count(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if known else None


def _is_mean(unit: str, key: str, results: Mapping[str, Any]) -> bool:
    """Whether lm-eval aggregates by a mean over documents or over all instructions."""
    how = _aggregation(unit, key, results)
    return how == "mean" or "agg_inst_level_acc" in how


def _aggregation(unit: str, key: str, results: Mapping[str, Any]) -> str:
    metric = key.rpartition(",")[0]
    for own in results.get("configs", {}).get(unit, {}).get("metric_list") or ():
        if own.get("metric") == metric:
            return str(own.get("aggregation", "mean"))
    return "mean"


def _is_share(values: Any) -> bool:
    return all(0 <= value <= 100 for value in values.values)


def _label(task: str, key: str) -> str:
    known = TASKS.get(task)
    for own in known.metrics if known else ():
        if own.key == key:
            return "accuracy" + (f"/{own.part}" if own.part else "")
    return key.replace(",", "/").removesuffix("/none")
