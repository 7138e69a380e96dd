"""Winogrande from stored log-likelihoods of its two options."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.gaps import Gap, require_whole
from evaluation.harness.offline.completeness import require_inside, require_once
from evaluation.harness.offline.found import one_model
from evaluation.harness.records import Document
from evaluation.harness.suite import TASKS
from evaluation.rows import Row
from evaluation.scores import Scores
from mnpo.errors import UserError
from mnpo.printable import shown
from mnpo.runs.files import sha256_file


def is_log(row: Row) -> bool:
    """Whether a row has the log-likelihoods of two options."""
    return {"logit_0", "logit_1"} <= set(row.values)


def score_log(
    path: Path,
    rows: Sequence[Row],
    documents: Sequence[Document] | None,
    *,
    model: str,
    allow_missing: bool,
) -> Scores:
    """The option with the larger log-likelihood is the answer, of two equal ones the first.

    Args:
        path: of the log.
        rows: doc_id, logit_0, logit_1 and truth (0 or 1); acc, where recorded, is checked; with
            prompt_0_tail a row is matched to its document by the text.
        documents: of the benchmark, to check the truths against; None leaves that out.
        model: name.
        allow_missing: score although rows or log-likelihoods are missing.

    Raises:
        UserError: a row that is not what it should be or contradicts itself, rows missing or
            twice.
    """
    size = len(documents) if documents is not None else TASKS["winogrande"].size
    keys = [row.whole("doc_id") for row in rows]
    require_once(keys, rows, "document")
    require_inside(keys, rows, size)
    notes, known = [], _truths(documents)
    values: list[float] = []
    clusters: list[str] = []
    unusable: list[int] = []
    ties = unmatched = 0
    for key, row in zip(keys, rows, strict=True):
        likelihoods = [_likelihood(row, name) for name in ("logit_0", "logit_1")]
        truth = row.whole("truth")
        if truth not in (0, 1):
            raise UserError(f"{row.where}: truth is {truth}, expected 0 or 1")
        if known:
            said = known.get(_plain(str(row.values.get("prompt_0_tail", ""))))
            unmatched += said is None
            if said is not None and said != truth:
                raise UserError(f"{row.where}: truth is {truth}, and the data say {said}")
        if not all(map(math.isfinite, likelihoods)):
            unusable.append(key)
            continue
        ties += likelihoods[0] == likelihoods[1]
        right = (likelihoods[1] > likelihoods[0]) == bool(truth)
        recorded = row.values.get("acc")
        if recorded is not None and _truth_value(row, recorded) != right:
            raise UserError(
                f"{row.where}: acc is recorded as {recorded}, and its log-likelihoods say {right}"
            )
        values.append(100.0 * right)
        clusters.append(str(key))
    absent = size - len(rows)
    broken = [f"document {key}" for key in unusable]
    gap = Gap(
        str(path),
        "documents",
        {"no row": absent, "log-likelihoods that are not finite": broken},
        size,
    )
    require_whole([gap], allow_missing)
    if not values:
        raise UserError(f"{path}: no document can be scored")
    if ties:
        notes.append(f"{ties} documents have two equal log-likelihoods: the first option is taken")
    if known:
        notes.append(f"truths checked against the data for {len(rows) - unmatched} documents")
    return one_model(
        "winogrande",
        model,
        {"accuracy": values},
        {"accuracy": clusters},
        n=len(values),
        missing=gap.count,
        flags=[f"{gap.count} of {size} documents are missing"] if gap.count else [],
        hashes={"outputs": sha256_file(path)},
        settings={"rule": "argmax of the two log-likelihoods"},
        notes=notes,
    )


def _truths(documents: Sequence[Document] | None) -> dict[str, int]:
    """The sentence with its first option filled in -> number of the right option."""
    return {
        _plain(own["sentence"].replace("_", own["option1"], 1)): int(own["answer"]) - 1
        for own in documents or ()
    }


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()


def _likelihood(row: Row, name: str) -> float:
    value: Any = row.values.get(name)
    if value is None or value == "":
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{row.where}: {name} is {shown(value, 40)}, expected a number") from None


def _truth_value(row: Row, value: Any) -> bool:
    text = str(value).lower()
    if text in ("true", "1", "1.0"):
        return True
    if text in ("false", "0", "0.0"):
        return False
    raise UserError(f"{row.where}: acc is {value!r:.40}, expected true or false")
