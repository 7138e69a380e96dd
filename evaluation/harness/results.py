"""What the suite found, as the harness's scores."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.harness.figures import (
    NONE,
    Values,
    average,
    official,
    read_values,
    require_agreement,
)
from evaluation.harness.planning import Planned
from evaluation.harness.store import Finished
from evaluation.harness.suite import PAPER, Metric
from evaluation.scores import Comparison, ModelScore, Official, Scores, all_pairs
from evaluation.statistics import Interval, holm_known, p_value, paired_difference
from mnpo.errors import UserError

#: lm-eval's results by the name of its task.
Results = Mapping[str, Finished]


def suite_scores(
    found: Mapping[str, tuple[Sequence[Planned], Results]], settings: Mapping[str, Any]
) -> Scores:
    """The scores of one or several models.

    Args:
        found: model -> what was planned, and what lm-eval said of each of its tasks.
        settings: to be quoted.
    """
    planned = next(iter(found.values()))[0]
    names = tuple(own.task.name for own in planned)
    run = [own for own in planned if not own.not_run]
    hashes = {
        f"{role}/{own.task.name}": sha256 for own in run for role, sha256 in own.hashes.items()
    }
    notes = [f"{own.task.name}: not run: {own.not_run}" for own in planned if own.not_run]
    notes += [f"{own.task.name}: {label}" for own in run for label in own.labels]
    notes.append(
        f"accuracy is the unweighted mean of {len(run)} tasks: "
        + ", ".join(own.task.name for own in run)
    )
    return Scores(
        benchmark="lm-eval/paper" if names == PAPER else "lm-eval",
        judge="",
        models=tuple(_model(name, plans, results) for name, (plans, results) in found.items()),
        comparisons=_comparisons(found),
        hashes=hashes,
        settings={**settings, "tasks": {own.task.name: own.describe() for own in planned}},
        notes=tuple(notes),
    )


def _model(name: str, planned: Sequence[Planned], results: Results) -> ModelScore:
    quoted: dict[str, Interval] = {}
    metrics: dict[str, Interval] = {}
    officials: dict[str, Official] = {}
    flags: list[str] = []
    n = missing = 0
    for own in planned:
        if own.not_run:
            continue
        task = own.task.name
        for metric in own.task.metrics:
            values = _values(own, metric, results)
            interval = values.interval()
            label = f"accuracy/{task}" + (f"/{metric.part}" if metric.part else "")
            if interval is not None:
                (metrics if metric.part else quoted)[label] = interval
            theirs = _official(own, metric, results)
            if theirs is not None:
                officials[label] = theirs
            if metric is not own.task.metrics[0]:
                continue
            n += len(set(values.documents))
            missing += len(values.missing) + own.unscorable
            if values.missing:
                flags.append(
                    f"{task}: {len(values.missing)} documents have no usable value (log-"
                    "likelihoods that are no numbers) and are missing, not wrong"
                )
        if task == "mmlu":
            _add_subjects(own, results, metrics)
        cut = sum(results[unit.name].cut_prompts for unit in own.units)
        if cut:
            flags.append(
                f"{task}: {cut} requests to the model did not fit and lost their beginning"
            )
    if not quoted:
        raise UserError(f"{name}: none of the tasks gave a figure: {'; '.join(flags)}")
    return ModelScore(
        model=name,
        headline="accuracy",
        metrics={"accuracy": average(list(quoted.values())), **quoted, **metrics},
        n=n,
        missing=missing,
        official=officials,
        flags=tuple(flags),
    )


def _values(own: Planned, metric: Metric, results: Results) -> Values:
    values = NONE
    for unit in own.units:
        if metric.unit in ("", unit.name):
            done = results[unit.name]
            found = read_values(unit.name, done.samples, metric.key)
            require_agreement(
                unit.name, metric.key, found, done.results["results"].get(unit.name, {})
            )
            values += found
    return values


def _official(own: Planned, metric: Metric, results: Results) -> Official | None:
    named = [unit.name for unit in own.units if metric.unit in ("", unit.name)]
    if len(named) == 1:
        return official(metric.key, results[named[0]].results["results"].get(named[0], {}))
    return _pooled(named, metric, results)


def _pooled(named: Sequence[str], metric: Metric, results: Results) -> Official | None:
    """As lm-eval's group of MMLU: weighted by size, with its pooled standard error."""
    from lm_eval.api.metrics import aggregate_subtask_metrics, pooled_sample_stderr

    kind, _, chosen = metric.key.rpartition(",")
    rows = [results[name].results["results"].get(name, {}) for name in named]
    figures = [row.get(metric.key) for row in rows]
    errors = [row.get(f"{kind}_stderr,{chosen}") for row in rows]
    sizes = [row.get("sample_len", 0) for row in rows]
    if not all(isinstance(own, (int, float)) for own in figures):
        return None
    value = 100 * float(aggregate_subtask_metrics(figures, sizes, True))
    rule = "lm-eval's group: mean over documents, 1.96 of its pooled standard error"
    if not all(isinstance(own, (int, float)) for own in errors) or sum(sizes) <= len(sizes):
        return Official(value, None, None, rule)
    half = 196 * float(pooled_sample_stderr(errors, sizes))
    return Official(value, value - half, value + half, rule)


def _add_subjects(own: Planned, results: Results, metrics: dict[str, Interval]) -> None:
    """MMLU's mean over subjects; subjects are fixed, documents within each are drawn."""
    key = own.task.metrics[0].key
    parts = [
        read_values(unit.name, results[unit.name].samples, key).interval() for unit in own.units
    ]
    known = [part for part in parts if part is not None]
    if known:
        metrics["accuracy/mmlu/mean-over-subjects"] = average(known)


def _comparisons(
    found: Mapping[str, tuple[Sequence[Planned], Results]],
) -> tuple[Comparison, ...]:
    """Differences of two models on each task, document by document."""
    rows: list[tuple[str, str, str, Interval, float | None]] = []
    for first, second in all_pairs(list(found)):
        for mine, theirs in zip(found[first][0], found[second][0], strict=True):
            if mine.not_run or theirs.not_run:
                continue
            metric = mine.task.metrics[0]
            a = _by_document(_values(mine, metric, found[first][1]))
            b = _by_document(_values(theirs, metric, found[second][1]))
            both = [key for key in a if key in b]
            if not both:
                continue
            x, y = [a[key][0] for key in both], [b[key][0] for key in both]
            clusters = [key[2] for key in both]
            difference = paired_difference(x, y, clusters, bounds=(0.0, 100.0))
            p = p_value([i - j for i, j in zip(x, y, strict=True)], clusters=clusters)
            rows.append((f"accuracy/{mine.task.name}", first, second, difference, p))
    adjusted = holm_known([p for *_, p in rows])
    return tuple(Comparison(*row, after) for row, after in zip(rows, adjusted, strict=True))


def _by_document(values: Values) -> dict[tuple[str, int, str], list[float]]:
    found: dict[tuple[str, int, str], list[float]] = {}
    for (unit, number), cluster, value in zip(
        values.documents, values.clusters, values.values, strict=True
    ):
        found.setdefault((unit, number, cluster), []).append(value)
    return found
