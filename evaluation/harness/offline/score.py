"""Which kind of stored outputs a file holds, and its scores."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.harness.documents import load_documents
from evaluation.harness.offline.logged import find_logged, is_logged, score_logged
from evaluation.harness.offline.predictions import is_prediction, score_predictions
from evaluation.harness.offline.programs import score_programs
from evaluation.harness.offline.responses import can_score, score_responses
from evaluation.harness.offline.winogrande import is_log, score_log
from evaluation.harness.records import Document, to_document
from evaluation.harness.suite import TASKS, Task
from evaluation.rows import read_rows
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError, suggest


def score_outputs(
    task: str,
    outputs: Path,
    *,
    data: Path | None = None,
    results: Path | None = None,
    model: str | None = None,
    allow_missing: bool = False,
    allow_code: bool = False,
) -> Scores:
    r"""Score stored outputs of one task.

    What the rows hold decides how: lm-eval's logged samples (of any task), predictions beside
    right answers (GSM8K), log-likelihoods of options (Winogrande), or answers to prompts (GSM8K,
    IFEval, Minerva-Math, AIME-24, HumanEval), which need the benchmark's documents.

    Args:
        task: of the suite; of logged samples also any of lm-eval's.
        outputs: a file, or the folder of a model that lm-eval wrote.
        data: the benchmark's documents, or the data folder that holds them.
        results: lm-eval's results_*.json that logged samples must agree with.
        model: its name; the file's by default.
        allow_missing: score although documents are missing.
        allow_code: run the programs that are scored, in the sandbox.

    Raises:
        UserError: files or settings are wrong; the message says where.
    """
    name = model or _stem(outputs)
    if outputs.is_dir():
        paths, found = find_logged(outputs, task)
        return score_logged(paths, results or found, task, model=name, allow_missing=allow_missing)
    rows = read_rows(outputs)
    if not rows:
        raise UserError(f"{outputs}: holds no rows")
    if is_logged(rows[0]):
        return score_logged([outputs], results, task, model=name, allow_missing=allow_missing)
    if results is not None:
        raise InvalidSetting(f"{outputs}: --results belongs to lm-eval's logged samples")
    if task not in TASKS:
        raise InvalidSetting(f"unknown task '{task}'{suggest(task, TASKS)}")
    known = TASKS[task]
    documents = None if data is None else _documents(known, data)
    if task == "gsm8k" and is_prediction(rows[0]):
        return score_predictions(outputs, rows, documents, model=name, allow_missing=allow_missing)
    if task == "winogrande" and is_log(rows[0]):
        return score_log(outputs, rows, documents, model=name, allow_missing=allow_missing)
    if known.runs_code:
        if not allow_code:
            raise InvalidSetting(
                f"{task} runs programs that a model wrote; if you mean it, add --allow-code"
            )
        return score_programs(outputs, rows, documents, model=name, allow_missing=allow_missing)
    if not can_score(known):
        raise UserError(
            f"{outputs}: {task} is scored from lm-eval's logged samples"
            f"{' or rows with logit_0 and logit_1' if task == 'winogrande' else ''}; the rows "
            f"have {', '.join(list(rows[0].values)[:6])}"
        )
    return score_responses(outputs, rows, known, documents, model=name, allow_missing=allow_missing)


def _documents(task: Task, data: Path) -> Sequence[Document]:
    if data.is_dir():
        found = load_documents(task, data)
        if found is None:
            raise UserError(f"{data}: holds no {task.files[0]}.jsonl (or .json, .csv, .gz)")
        return found.evaluated
    return [to_document(task.name, row) for row in read_rows(data)]


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name
