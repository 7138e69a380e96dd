"""GSM8K from stored predictions: a number per problem, beside the right one."""

import math
from collections.abc import Sequence
from pathlib import Path

from evaluation.gaps import Gap, require_whole
from evaluation.harness.offline.completeness import require_once
from evaluation.harness.offline.found import one_model
from evaluation.harness.offline.numbers import TOLERANCE, equal, is_finite, last_boxed, number
from evaluation.harness.records import Document
from evaluation.harness.suite import TASKS
from evaluation.rows import Row
from evaluation.scores import Scores
from mnpo.errors import UserError
from mnpo.printable import shown
from mnpo.runs.files import sha256_file


def is_prediction(row: Row) -> bool:
    """Whether a row has a prediction and the right answer."""
    return {"pred", "gt"} <= set(row.values)


def score_predictions(
    path: Path,
    rows: Sequence[Row],
    documents: Sequence[Document] | None,
    *,
    model: str,
    allow_missing: bool,
) -> Scores:
    r"""|pred - gt| < 1e-3, as ToRA's authors score it.

    A text that is no number is a wrong answer: the model was asked, and answered so. A prediction
    that is null was never made, and is missing; a number that is not finite is refused, since
    nobody can know what the model said. Where the rows have completions, the
    answer in the last \boxed{} is scored too, as ``accuracy/boxed``.

    Args:
        path: of the file.
        rows: pred and gt; idx is the problem's number, the row's place where there is none.
        documents: of the benchmark, to check the right answers against.
        model: name.
        allow_missing: score although rows are missing.

    Raises:
        UserError: a right answer is no number or not the data's, a prediction is a number that is
            not finite, rows missing or twice.
    """
    size = len(documents) if documents is not None else TASKS["gsm8k"].size
    keys = [_index(row, place) for place, row in enumerate(rows)]
    require_once(keys, rows, "problem")
    outside = [row for key, row in zip(keys, rows, strict=True) if not 0 <= key < size]
    if outside:
        raise UserError(f"{outside[0].where}: idx is outside the {size} problems")
    stored: list[float] = []
    boxed: list[float] = []
    clusters: list[str] = []
    unread = without_box = unmade = 0
    for key, row in zip(keys, rows, strict=True):
        truth = number(_text(row, "gt"))
        if truth is None or not math.isfinite(truth):
            raise UserError(f"{row.where}: gt is {row.values['gt']!r:.40}, expected a number")
        if documents is not None:
            said = number(documents[key]["answer"].rpartition("####")[2])
            if said != truth:
                raise UserError(f"{row.where}: gt is {truth:g}, and problem {key} has {said}")
        if row.values["pred"] is None:
            unmade += 1
            continue
        prediction = _text(row, "pred")
        unread += number(prediction) is None
        stored.append(100.0 * equal(prediction, truth))
        clusters.append(str(key))
        completion = row.values.get("completion")
        if isinstance(completion, str):
            answer = last_boxed(completion)
            without_box += answer is None
            boxed.append(100.0 * equal(answer, truth))
    missing = size - len(stored)
    why = {"no row": size - len(rows), "the prediction is null": unmade}
    require_whole([Gap(str(path), "documents", why, size)], allow_missing)
    if not stored:
        raise UserError(f"{path}: no problem can be scored")
    figures = {"accuracy": stored}
    if len(boxed) == len(stored):
        figures["accuracy/boxed"] = boxed
    notes = [f"{unread} predictions are no numbers and count as wrong"] if unread else []
    if without_box and "accuracy/boxed" in figures:
        notes.append(f"{without_box} completions have no \\boxed answer: wrong under that rule")
    return one_model(
        "gsm8k",
        model,
        figures,
        dict.fromkeys(figures, clusters),
        n=len(stored),
        missing=missing,
        flags=[f"{missing} of {size} problems are missing"] if missing else [],
        hashes={"outputs": sha256_file(path)},
        settings={"rule": f"|pred - gt| < {TOLERANCE:g}"},
        notes=notes,
    )


def _index(row: Row, place: int) -> int:
    return row.whole("idx") if "idx" in row.values else place


def _text(row: Row, name: str) -> str:
    value = row.values[name]
    if isinstance(value, str):
        return value
    if is_finite(value):
        return str(value)
    raise UserError(
        f"{row.where}: {name} is {shown(value, 40)}, expected a finite number or a text"
        + (", or null where none was made" if name == "pred" else "")
    )
