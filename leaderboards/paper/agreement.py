"""Whether a printed figure and one of ours measure the same thing, and what differs if not."""

from leaderboards.paper.names import same
from leaderboards.paper.ours import UNKNOWN, Measured
from leaderboards.paper.printed import Printed

#: Questions of whole benchmarks; fewer are another benchmark.
_SIZES = {"alpaca-eval-2": 805, "arena-hard-v0.1": 500, "mt-bench": 80}
#: Questions that may lack a verdict before what was asked counts as a subset.
_MAY_LACK = 0.01


def same_benchmark(printed: Printed, own: Measured) -> bool:
    """Whether both are the same metric of the same benchmark, by name."""
    family = own.column.benchmark.partition("/")[0]
    benchmark = family if family == "lm-eval" else own.column.benchmark
    return (benchmark, own.column.metric) == (printed.benchmark, printed.metric)


def same_subject(printed: Printed, own: Measured) -> bool:
    """Whether both are about the same method, or the same model from elsewhere."""
    if own.trained:
        return bool(printed.method) and printed.method == own.method
    return same("models", printed.model, own.entry.algorithm)


def differences(printed: Printed, own: Measured) -> tuple[str, ...]:
    """Why the two cannot be subtracted, each like "judge: ours A, theirs B"; () if they can.

    They can if benchmark, judge and base model agree, and the number of players and the iteration
    where the paper's table is about these.
    """
    found = [*printed.differs]
    asked = _asked(printed, own)
    if asked:
        found.append(asked)
    if own.column.unit and printed.unit and own.column.unit != printed.unit:
        found.append(_differ("unit", own.column.unit, printed.unit))
    if printed.judged and not same("judges", own.column.judge, printed.judge):
        found.append(_differ("judge", own.column.judge or UNKNOWN, printed.judge or "not said"))
    if own.trained and (own.base == UNKNOWN or not same("models", own.base, printed.base)):
        found.append(_differ("model", own.base, printed.base or "not said"))
    if printed.players is not None and printed.players != own.players:
        ours = UNKNOWN if own.players is None else str(own.players)
        found.append(_differ("players", ours, str(printed.players)))
    if printed.iteration is not None and own.entry.iteration not in (None, printed.iteration):
        found.append(_differ("iteration", str(own.entry.iteration), str(printed.iteration)))
    return tuple(found)


def remarks(printed: Printed, own: Measured) -> tuple[str, ...]:
    """What else to know: no two trainings are alike, and none of this bars a comparison."""
    found = [*printed.remarks]
    if printed.annotator or own.annotator != UNKNOWN:
        theirs = printed.annotator or "not said"
        found.append(_differ("annotator", own.annotator, theirs))
    if own.section.kind == "published":
        found.append("ours is a published board's figure")
    if printed.tool and printed.judged:
        found.append(f"theirs measured with {printed.tool}")
    return (*found, *own.figure.flags)


def _differ(what: str, ours: str, theirs: str) -> str:
    return f"{what}: ours {ours}, theirs {theirs}"


def _asked(printed: Printed, own: Measured) -> str | None:
    """Whether ours was asked a part of the questions only, where that can be told."""
    from evaluation.harness.suite import TASKS

    task = printed.metric.split("/")[1] if printed.benchmark == "lm-eval" else ""
    size = TASKS[task].size if task in TASKS else _SIZES.get(printed.benchmark)
    asked = own.figure.interval.clusters
    if size is None or own.figure.basis != "prompts" or own.figure.seeds > 1 or asked == 0:
        return None
    if asked >= (1 - _MAY_LACK) * size:
        return None
    return _differ("questions", f"{asked} of {size}", "all")
