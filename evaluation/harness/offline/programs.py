"""HumanEval from stored completions, run in the sandbox."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evaluation.gaps import Gap, require_whole
from evaluation.harness.humaneval import check
from evaluation.harness.offline.found import one_model
from evaluation.harness.records import Document
from evaluation.harness.sandbox import find_fence
from evaluation.rows import Row
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest, sha256_file


def score_programs(
    path: Path,
    rows: Sequence[Row],
    problems: Sequence[Document] | None,
    *,
    model: str,
    allow_missing: bool,
) -> Scores:
    """pass@1: the share of a problem's completions that pass, averaged over problems.

    With one completion for each problem it is the share of problems solved; with n of them, of
    which c pass, c/n is the unbiased estimate for one draw (Chen et al. 2021, equation 1, k = 1).

    Args:
        path: of the completions.
        rows: task_id and completion, the form of the benchmark's authors.
        problems: of the benchmark.
        model: name.
        allow_missing: score although problems have no completion.

    Raises:
        UserError: no problems, an unknown task_id, or completions missing.
        SandboxBroken: no program can be run here.
    """
    if problems is None:
        raise InvalidSetting("humaneval: completions are run with its tests; name --data")
    known = {str(own["task_id"]): own for own in problems}
    if len(known) < len(problems):
        raise UserError("humaneval: the data hold two problems with the same task_id")
    fence = find_fence()
    passed: dict[str, list[bool]] = {name: [] for name in known}
    reasons: Counter[str] = Counter()
    for row in rows:
        name = row.text("task_id")
        if name not in known:
            raise UserError(f"{row.where}: {name!r:.60} is no task_id of the data")
        row.text("completion")
    for row in rows:
        verdict = check(known[row.values["task_id"]], row.values["completion"])
        passed[row.values["task_id"]].append(verdict.passed)
        if not verdict.passed:
            reasons[verdict.why.partition(":")[0]] += 1
    missing = [name for name, own in passed.items() if not own]
    gap = Gap(str(path), "documents", {"no completion": missing}, len(known))
    require_whole([gap], allow_missing)
    solved = {name: 100.0 * sum(own) / len(own) for name, own in passed.items() if own}
    return one_model(
        "humaneval",
        model,
        {"accuracy": list(solved.values())},
        {"accuracy": list(solved)},
        n=len(solved),
        missing=len(missing),
        flags=[f"{len(missing)} of {len(known)} problems are missing"] if missing else [],
        details={"failures": dict(reasons.most_common()), "completions": len(rows)},
        hashes={"outputs": sha256_file(path), "data": digest(list(problems))},
        settings={"metric": "pass@1", "sandbox": fence.describe()},
    )
