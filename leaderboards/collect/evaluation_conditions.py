"""What an evaluation's figures depend on besides the policy: which of them may be compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.mini.questions import NAME as MINI
from evaluation.suite.settings import what_counts
from leaderboards.collect.columns import GIVEN
from leaderboards.collect.metrics import family_of
from leaderboards.collect.opening import Opened
from leaderboards.collect.policies import Policy
from leaderboards.collect.rows import Row
from mnpo.runs.files import digest

#: What of the run's settings a benchmark's figures depend on, besides those of all of them.
_OPTIONS: Mapping[str, tuple[str, frozenset[str]]] = {
    "alpaca-eval": ("alpaca_eval", frozenset()),
    "mt-bench": ("mt_bench", frozenset()),
    "mt-bench-pairwise": ("mt_bench", frozenset()),
    "lm-eval": ("lm_eval", frozenset({"tasks", "batch_size"})),
}
#: Cross-play figures that do not depend on who else is in the pool.
AGAINST = "win_rate/against/"


def pool_of(
    understood: Sequence[tuple[Row, str, Any]], owners: Mapping[str, Policy]
) -> dict[tuple[str, str], str]:
    """(benchmark, judge) -> hash of who met whom, seeds counted and not named."""
    met: dict[tuple[str, str], set[str]] = {}
    for row, model, _ in understood:
        met.setdefault((row.benchmark, row.judge), set()).add(model)
    found = {}
    for place, models in met.items():
        members: dict[str, int] = {}
        for model in models:
            own = owners[model]
            who = digest([own.group, own.algorithm, own.iteration, own.mark])
            members[who] = members.get(who, 0) + 1
        found[place] = digest(sorted(members.items()))
    return found


def exact_pool(understood: Sequence[tuple[Row, str, Any]]) -> dict[tuple[str, str], str]:
    """(benchmark, judge) -> hash of the very policies."""
    met: dict[tuple[str, str], set[str]] = {}
    for row, model, _ in understood:
        own = row.hashes.get("policy") or row.hashes.get("endpoint") or model
        met.setdefault((row.benchmark, row.judge), set()).add(own)
    return {place: digest(sorted(own)) for place, own in met.items()}


def conditions_of(
    opened: Opened,
    row: Row,
    common: Mapping[str, str],
    pool: Mapping[tuple[str, str], str],
    owners: Mapping[str, Policy],
) -> dict[str, str] | None:
    """All that a figure depends on but the policy; None for figures that pools show better."""
    found = {
        role: sha256
        for role, sha256 in row.hashes.items()
        if role not in ("policy", "endpoint") and not role.startswith("answers to ")
    }
    family = family_of(row.benchmark)
    config = opened.config
    if family == "lm-eval":
        found = _of_task(found, row.metric)
    found |= common
    if row.judge and config.get("repeats", 1) != 1:
        found["repeats"] = str(config["repeats"])
    if config.get("stop_width") is not None and row.judge and family != "cross-play":
        # Which questions were asked depended on the answers to the first of them.
        found["stopped early"] = str(opened.manifest.get("config_sha256", ""))
    if family in _OPTIONS:
        section, without = _OPTIONS[family]
        options = config.get(section) or {}
        found["options"] = digest({k: v for k, v in options.items() if k not in without})
    if family == "cross-play":
        metric = row.metric.removeprefix("official/")
        if metric.startswith(AGAINST):
            opponent = owners.get(metric.removeprefix(AGAINST))
            if opponent is None or opponent.seed is not None:
                return None
            found["opponent"] = opponent.mark or opponent.algorithm
        else:
            found["pool"] = pool[row.benchmark, row.judge]
        if metric == "win_rate/mixture":
            found["opponents"] = digest((config.get("cross_play") or {}).get("opponents"))
    return found


def questions_of(config: Mapping[str, Any]) -> str:
    """The benchmark whose questions a cross-play took, with its version where it has but one."""
    options = config.get("cross_play")
    name = str((options if isinstance(options, Mapping) else {}).get("questions") or "mini")
    return MINI if name == "mini" else name


def _of_task(hashes: Mapping[str, str], metric: str) -> dict[str, str]:
    """Of lm-eval's hashes, ROLE/TASK, those of the task that a metric is of."""
    parts = metric.removeprefix("official/").split("/")
    if len(parts) < 2:
        return dict(hashes)
    return {role: own for role, own in hashes.items() if role.rpartition("/")[2] == parts[1]}


def answers_of(config: Mapping[str, Any]) -> str:
    """How models were asked; `GIVEN` where all answers were given."""
    models = [own for own in config.get("models", []) if isinstance(own, Mapping)]
    if models and all(own.get("outputs") for own in models):
        return GIVEN
    answers = what_counts(dict(config)).get("answers") or {}
    free = ("shard_size", "server", "backend")
    return digest({k: v for k, v in answers.items() if k not in free})
