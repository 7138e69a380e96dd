"""Stored answers to a benchmark's prompts, scored as lm-eval scores a model that gives them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.gaps import Gap, require_whole
from evaluation.harness.definitions import units
from evaluation.harness.documents import Documents
from evaluation.harness.figures import Values, official, read_values
from evaluation.harness.offline.completeness import require_once
from evaluation.harness.offline.found import one_model
from evaluation.harness.records import Document
from evaluation.harness.suite import Task
from evaluation.rows import Row
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest, sha256_file

#: The text that tells a task's documents apart, and what rows of answers call it.
_PROMPTS = {
    "gsm8k": "question",
    "ifeval": "prompt",
    "minerva-math": "problem",
    "aime24": "Problem",
}
_PROMPT_NAMES = ("prompt", "question", "problem", "Problem", "instruction")
_RESPONSE_NAMES = ("response", "completion", "output", "answer")
#: Verdicts of the file's authors.
_RECORDED = "recorded_correct"


def can_score(task: Task) -> bool:
    """Whether the task's answers are texts."""
    return task.name in _PROMPTS


def score_responses(
    path: Path,
    rows: Sequence[Row],
    task: Task,
    documents: Sequence[Document] | None,
    *,
    model: str,
    allow_missing: bool,
) -> Scores:
    """Hand the answers to lm-eval's own filters and metrics, which cut them at its stop words.

    Args:
        path: of the answers.
        rows: a prompt and a response.
        task: whose definition scores them.
        documents: of the benchmark.
        model: name.
        allow_missing: score although answers are missing.

    Raises:
        UserError: no documents, a prompt that the benchmark has not, answers missing or twice.
    """
    if documents is None:
        raise InvalidSetting(f"{task.name}: answers are scored against its documents; name --data")
    name = _PROMPTS[task.name]
    places = {_plain(own[name]): number for number, own in enumerate(documents)}
    if len(places) < len(documents):
        raise UserError(f"{task.name}: the data hold two documents with the same {name}")
    numbers = [_place(row, places, task) for row in rows]
    require_once([_plain(documents[i][name]) for i in numbers], rows, "the answer to")
    answers: dict[int, str] = {}
    for number, row in zip(numbers, rows, strict=True):
        answer = _response(row)
        if answer is not None:
            answers[number] = answer
    kept = sorted(answers)
    unscorable: set[int] = set()
    if task.name == "ifeval":
        from evaluation.harness.ifeval import unscorable as without_data

        unscorable = set(without_data(documents))
        kept = [i for i in kept if i not in unscorable]
    missing = [i for i in range(len(documents)) if i not in set(kept)]
    unanswered = [str(documents[i][name]) for i in missing]
    gap = Gap(str(path), "documents", {"no usable answer": unanswered}, len(documents))
    require_whole([gap], allow_missing)
    if not kept:
        raise UserError(f"{path}: no answer can be scored")
    samples, results = _through_lm_eval(task, [documents[i] for i in kept], answers, kept)
    figures: dict[str, tuple[float, ...]] = {}
    clusters: dict[str, tuple[str, ...]] = {}
    theirs = {}
    for metric in task.metrics:
        label = "accuracy" + (f"/{metric.part}" if metric.part else "")
        values = read_values(task.name, samples, metric.key)
        figures[label], clusters[label] = values.values, values.clusters
        own = official(metric.key, results)
        if own is not None:
            theirs[label] = own
    flags = [f"{len(missing)} of {len(documents)} documents are missing"] if missing else []
    notes: list[str] = []
    _add_recorded(task, rows, numbers, kept, samples, figures, clusters, notes)
    return one_model(
        task.name,
        model,
        figures,
        clusters,
        n=len(kept),
        missing=len(missing),
        official=theirs,
        flags=flags,
        hashes={"outputs": sha256_file(path), "data": digest(list(documents))},
        settings={"metric": task.metrics[0].key},
        notes=notes,
    )


def _through_lm_eval(
    task: Task, documents: Sequence[Document], answers: dict[int, str], kept: Sequence[int]
) -> tuple[Sequence[Any], Any]:
    from evaluation.harness.ifeval import prepare_checks
    from evaluation.harness.offline.stored_answers import StoredAnswers
    from evaluation.harness.running import run_unit

    if task.name == "ifeval":
        prepare_checks()
    local = Documents(tuple(documents), (), {"documents": ""}, "")
    # Answers were given to whatever prompt they were given to: no examples are needed.
    (unit,) = units(task, local, num_fewshot=None if task.fixed_shots else 0)
    ordered = [answers[number] for number in kept]
    done = run_unit(StoredAnswers(ordered), unit, {}, limit=None, chat=False)
    return done.samples, done.results["results"][unit.name]


def _add_recorded(
    task: Task,
    rows: Sequence[Row],
    numbers: Sequence[int],
    kept: Sequence[int],
    samples: Sequence[Any],
    figures: dict[str, tuple[float, ...]],
    clusters: dict[str, tuple[str, ...]],
    notes: list[str],
) -> None:
    """The file's own verdicts beside ours, and how often they differ."""
    recorded = {
        number: row.values[_RECORDED]
        for number, row in zip(numbers, rows, strict=True)
        if isinstance(row.values.get(_RECORDED), bool)
    }
    if not recorded or not set(kept) <= set(recorded):
        return
    values: Values = read_values(task.name, samples, task.metrics[0].key)
    theirs = [100.0 * recorded[kept[place]] for _, place in values.documents]
    figures["accuracy/recorded"] = tuple(theirs)
    clusters["accuracy/recorded"] = values.clusters
    differ = sum(a != b for a, b in zip(values.values, theirs, strict=True))
    notes.append(f"the file's own verdicts differ in {differ} of {len(theirs)} documents")


def _place(row: Row, places: dict[str, int], task: Task) -> int:
    for name in _PROMPT_NAMES:
        if isinstance(row.values.get(name), str) and _plain(row.values[name]) in places:
            return places[_plain(row.values[name])]
    shown = next((row.values[name] for name in _PROMPT_NAMES if name in row.values), None)
    if shown is None:
        raise UserError(f"{row.where}: has no {' or '.join(_PROMPT_NAMES)}")
    raise UserError(f"{row.where}: {shown!r:.60} is no {_PROMPTS[task.name]} of {task.title}")


def _response(row: Row) -> str | None:
    for name in _RESPONSE_NAMES:
        if name in row.values:
            value = row.values[name]
            if value is None or isinstance(value, str):
                return value
            raise UserError(f"{row.where}: {name} must be a text, got {value!r:.40}")
    raise UserError(f"{row.where}: has no {' or '.join(_RESPONSE_NAMES)}")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
