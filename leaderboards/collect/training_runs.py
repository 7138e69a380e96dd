"""What a training run found: the cross-play of its final policies, and where training ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluation.pool.wins_file import WINS
from leaderboards.collect.measurements import HELD_OUT, Measurement
from leaderboards.collect.names import policy_name
from leaderboards.collect.opening import Opened
from leaderboards.collect.policies import WHOLE_POOL, Policies, Training
from leaderboards.collect.rows import Row, read_rows
from mnpo.errors import DamagedRun
from mnpo.runs.files import digest

#: What training cost, and how it went.
LEDGER, CURVES = "ledger.csv", "training.csv"
#: Of a cross-play: what depends on nobody but the policy itself.
_OF_ITS_OWN = frozenset({"response_tokens", "unfinished", "distinct"})
_AGAINST = "win_rate/against/"
_ANNOTATORS = frozenset({"win_rate/worst_annotator", "win_rate/mean_annotator"})
#: What an evaluation's cross-play calls the same.
_CALLED = {"win_rate/pool": "win_rate"}
_HEADLINES = ("win_rate", "win_rate/worst_opponent", "exploitability")


def read_training(opened: Opened, key: str) -> Training:
    """The rows of a training run.

    Raises:
        DamagedRun: a file that is missing, damaged or broken; or of an attempt before the last.
    """
    opened.require(LEDGER, CURVES, WINS)
    rows = read_rows(opened, key)
    if opened.status == "failed":
        _require_last(opened)
    return Training(opened, key, rows)


def failed_methods(opened: Opened) -> list[str]:
    """Of a run that failed: which methods, and why, one line each."""
    failed = opened.manifest.get("failed", [])
    if not isinstance(failed, Sequence):
        return []
    return [
        f"{own.get('method')}, seed {own.get('seed')}: {own.get('reason')}"
        for own in failed
        if isinstance(own, Mapping)
    ]


def training_measurements(run: Training, policies: Policies) -> list[Measurement]:
    """All figures of single policies.

    Training figures of policies that were only a step on the way are left out: the training
    curves show them.
    """
    found = []
    judged = [row for row in run.rows if row.benchmark != "training"]
    last = {(row.algorithm, row.seed): row.iteration for row in judged}
    judge = next((row.judge for row in judged if row.judge), "")
    common = _conditions(run, judged)
    pool = digest(sorted({row.hashes.get("policy", "") for row in judged}))
    for written in run.rows:
        if written.algorithm == WHOLE_POOL:
            continue
        row = replace(written, metric=_CALLED.get(written.metric, written.metric))
        conditions = {k: v for k, v in row.hashes.items() if k != "policy"}
        if row.benchmark == "training":
            if last.get((row.algorithm, row.seed)) != row.iteration:
                continue
            group = policies.trained(row).group
            conditions["recipe"] = group
            found.append(Measurement(row, policies.trained(row), "", conditions))
            continue
        conditions["sampling"] = common["sampling"]
        shown = row.judge
        if row.metric in _ANNOTATORS:
            conditions.pop("judge", None)
            conditions |= {"annotators": common["annotators"], "opponent": run.start}
            shown = ""
        elif row.metric.startswith(_AGAINST):
            conditions["opponent"] = run.start
        elif row.metric not in _OF_ITS_OWN:
            conditions["pool"] = common["pool"]
        headline = row.judge == judge and (
            row.metric in _HEADLINES or row.metric.startswith(_AGAINST)
        )
        found.append(
            Measurement(
                row,
                policies.trained(row),
                shown,
                conditions,
                headline=headline,
                probability=True,
                model=_name(row),
                pool=pool if "pool" in conditions or row.seed is None else "",
                on=HELD_OUT,
            )
        )
    return found


def _name(row: Row) -> str:
    """Of a policy in its run's cross-play."""
    return row.algorithm if row.seed is None else policy_name(row.algorithm, row.seed)


def _conditions(run: Training, judged: Sequence[Any]) -> dict[str, str]:
    """What all figures of a cross-play depend on besides prompts and judge."""
    config = run.opened.config
    sampling = config.get("sampling", {})
    free = ("batch_size", "shard_size", "server", "backend", "support")
    kept = {k: v for k, v in sampling.items() if k not in free}
    pool: dict[str, set[int]] = {}
    for row in judged:
        if row.algorithm != WHOLE_POOL:
            pool.setdefault(row.algorithm, set()).add(-1 if row.seed is None else row.seed)
    members = sorted((name, len(seeds)) for name, seeds in pool.items())
    return {
        "sampling": digest(kept),
        "annotators": digest(run.opened.manifest.get("annotators")),
        "pool": digest([run.recipe, members]),
    }


def _require_last(opened: Opened) -> None:
    """Refuse results that an attempt before the last one wrote."""
    text = opened.text("summary.json")
    try:
        summary = json.loads(text)
        failed = summary["failed"]
        said = [[own["method"], own["seed"], own["reason"]] for own in opened.manifest["failed"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedRun(
            f"{opened.path}: summary.json cannot be read; repeat its command to go on"
        ) from None
    if failed != said:
        raise DamagedRun(
            f"{opened.path}: its results are of an attempt before the last one, which failed; "
            "repeat its command to go on"
        )
