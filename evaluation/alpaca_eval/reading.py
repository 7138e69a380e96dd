"""Stored annotations and outputs of one model, matched with the instructions and checked.

Rows are matched by their text or index; their order says nothing. What is doubled, belongs to
another model or another text is refused; what is absent is left to the caller to decide about.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.alpaca_eval.reference import Prompt, Reference, index_of
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError
from mnpo.printable import shown

#: Problems that a message shows.
EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Outputs:
    """Answers of one model.

    Attributes:
        model: its name.
        path: where they come from.
        texts: by index.
    """

    model: str
    path: Path
    texts: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Annotations:
    """A judge's preferences between the baseline and one model.

    Attributes:
        model: the second generator.
        judge: the annotator's name.
        path: where they come from.
        preferences: by index, in [1, 2]; NaN for a row that has none.
        outputs: the model's answers by index, where the file has them.
        in_order: whether the rows stand in the official order.
        numbered: whether the rows carry numbers of their own (``row``) that run 0, 1, 2, ...
            through the instructions of the file, as a run over just these would number them.
    """

    model: str
    judge: str
    path: Path
    preferences: Mapping[int, float]
    outputs: Mapping[int, str] = field(default_factory=dict)
    in_order: bool = True
    numbered: bool = False


def read_outputs(path: Path, reference: Reference) -> Outputs:
    """Read ``model_outputs.json`` or rows of (index, output).

    Raises:
        UserError: two generators, duplicates, an instruction or index that is not the reference's.
    """
    model, rows = _matched(path, reference, ("generator",))
    return Outputs(model, path, {index: row.text("output") for index, row in rows.items()})


def read_annotations(path: Path, reference: Reference) -> Annotations:
    """Read ``annotations.json`` or rows of (index, preference).

    Raises:
        UserError: two models or annotators, another baseline, duplicates, an instruction or index
            that is not the reference's, a preference outside [1, 2].
    """
    preferences: dict[int, float] = {}
    outputs: dict[int, str] = {}
    judges: dict[str, str] = {}
    model, rows = _matched(path, reference, ("generator_2", "generator"))
    for index, row in rows.items():
        prompt = reference.by_index[index]
        preferences[index] = _preference(row)
        if row.values.get("generator_1", reference.generator) != reference.generator:
            raise UserError(
                f"{row.where}: compared with '{row.values['generator_1']}', but the reference is "
                f"'{reference.generator}'"
            )
        if row.values.get("output_1", prompt.baseline) != prompt.baseline:
            raise UserError(
                f"{row.where}: output_1 is not the reference's answer to instruction {index}"
            )
        if isinstance(row.values.get("output_2"), str):
            outputs[index] = row.values["output_2"]
        judges.setdefault(str(row.values.get("annotator") or ""), row.where)
    if len(judges) > 1:
        (first, _), (second, where), *_ = judges.items()
        raise UserError(f"{where}: annotator '{second}', before '{first}': one judge only")
    in_order = list(preferences) == sorted(preferences)
    numbered = all(
        str(rows[index].values.get("row")) == str(k) for k, index in enumerate(sorted(rows))
    )
    return Annotations(model, next(iter(judges)), path, preferences, outputs, in_order, numbered)


def _matched(
    path: Path, reference: Reference, names: tuple[str, ...]
) -> tuple[str, dict[int, Row]]:
    """The one model that all rows are of, and the rows by index, in the file's order.

    Every kind of problem is counted over the whole file before it is raised.
    """
    found: dict[int, Row] = {}
    problems: dict[str, list[str]] = {"duplicated": [], "unknown": [], "wrong": []}
    models: dict[str, list[str]] = {}
    for row in iterate_rows(path):
        models.setdefault(row.text(*names), []).append(row.where)
        prompt = _prompt(row, reference, problems)
        if prompt is None:
            continue
        if prompt.index in found:
            problems["duplicated"].append(
                f"instruction {prompt.index} in {_row(found[prompt.index])} and {_row(row)}"
            )
        found.setdefault(prompt.index, row)
    if not models:
        raise UserError(f"{path}: holds no rows")
    if len(models) > 1:
        listed = ", ".join(f"{own} ({len(where)} rows)" for own, where in list(models.items())[:5])
        raise UserError(
            f"{path}: {len(models)} models in one file: {listed}; give one file a model"
        )
    said = {
        "duplicated": "rows duplicated",
        "unknown": "rows of no instruction of the reference",
        "wrong": "rows with a wrong instruction",
    }
    failed = [f"{len(own)} {said[kind]}: {_some(own)}" for kind, own in problems.items() if own]
    if failed:
        raise UserError(f"{path}: {'; '.join(failed)}")
    (model,) = models
    return model, found


def _prompt(row: Row, reference: Reference, problems: Mapping[str, list[str]]) -> Prompt | None:
    """The row's instruction, by text where it has one, else by index."""
    index, text = index_of(row), row.values.get("instruction")
    if text is None and index is None:
        raise UserError(f"{row.where}: has neither an instruction nor an index")
    if text is not None and not isinstance(text, str):
        raise UserError(f"{row.where}: instruction must be a text, got {shown(text)}")
    if text is not None:
        own = reference.by_text.get(text)
        if own is None:
            problems["wrong" if index in reference.by_index else "unknown"].append(
                f"{_row(row)} ({text[:40]!r})"
            )
            return None
        if index is not None and own.index != index:
            problems["wrong"].append(
                f"{_row(row)} (index {index}, but the text of instruction {own.index})"
            )
            return None
    else:
        own = reference.by_index.get(-1 if index is None else index)
        if own is None:
            problems["unknown"].append(f"{_row(row)} (index {index})")
            return None
    dataset = row.values.get("dataset")
    if dataset and own.dataset and dataset != own.dataset:
        problems["wrong"].append(
            f"{_row(row)} (dataset {dataset}, instruction {own.index} is of {own.dataset})"
        )
        return None
    return own


def _preference(row: Row) -> float:
    """In [1, 2], 0 being a draw; NaN where there is none."""
    if "preference" not in row.values:
        raise UserError(f"{row.where}: has no preference")
    found = row.values["preference"]
    if found is None or found == "":
        return math.nan
    try:
        value = math.nan if isinstance(found, bool) else float(found)
        wrong = isinstance(found, bool)
    except (TypeError, ValueError, OverflowError):
        value, wrong = math.nan, True
    if value == 0:
        return 1.5
    if wrong or not (math.isnan(value) or 1 <= value <= 2):
        raise UserError(
            f"{row.where}: preference must be 0 (draw) or between 1 (baseline) and 2 (model), got "
            f"{shown(found)}"
        )
    return value


def _row(row: Row) -> str:
    return row.where.rpartition(", ")[2]


def _some(found: list[str]) -> str:
    return ", ".join(found[:EXAMPLES]) + (", ..." if len(found) > EXAMPLES else "")
