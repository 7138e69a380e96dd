"""MT-Bench for the harness."""

from pathlib import Path
from typing import Literal

from evaluation.data.files import BenchmarkFiles
from evaluation.mt_bench.against_baseline import AgainstBaseline
from evaluation.mt_bench.materials import (
    PAIRWISE,
    RATING_FORM,
    SINGLE,
    VERDICT_FORM,
    Materials,
    References,
    read_materials,
)
from evaluation.mt_bench.questions import read_turns
from evaluation.mt_bench.single import SingleGrading
from evaluation.rows import read_rows
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file


def open_benchmark(
    files: BenchmarkFiles,
    *,
    mode: Literal["single", "pairwise"] = "single",
    references: References = "official",
    repeats: int = 1,
    limit: int | None = None,
) -> SingleGrading | AgainstBaseline:
    """The benchmark from its own files.

    Args:
        files: questions, judge_prompts, and reference_answers where a question needs one;
            corrected_references for ``references="corrected"``; baseline_answers, in FastChat's
            answer format, for ``mode="pairwise"``.
        mode: "single" rates each answer, "pairwise" compares it with the baseline's.
        references: "corrected" replaces official reference answers by the user's, where those
            have the question.
        repeats: how often everything is judged.
        limit: the first so many questions; None takes all.

    Raises:
        InvalidSetting: an unknown mode or kind of references, or an impossible number.
        UserError: a file is missing or wrong.
    """
    if repeats < 1:
        raise InvalidSetting(f"repeats must be at least 1, got {repeats}")
    if mode == "single":
        return SingleGrading(
            read_materials(files, SINGLE, RATING_FORM, references=references, limit=limit), repeats
        )
    if mode != "pairwise":
        raise InvalidSetting(f"mode must be single or pairwise, got {mode!r}")
    path = files.get("baseline_answers")
    if path is None:
        raise UserError(
            "mt-bench: comparisons need the baseline's answers; put them, in FastChat's answer "
            "format, into a folder as baseline_answers.jsonl and bring it with 'mnpo-bench data "
            "import DIR'"
        )
    own = read_materials(files, PAIRWISE, VERDICT_FORM, references=references, limit=limit)
    hashes = {**own.hashes, "baseline_answers": sha256_file(path)}
    materials = Materials(own.questions, own.references, own.templates, hashes, own.corrected)
    return AgainstBaseline(materials, (_baseline_name(path), read_turns(path)), repeats)


def _baseline_name(path: Path) -> str:
    """As the file's rows call the model, else the file's own name."""
    names = {row.text("model_id") for row in read_rows(path) if "model_id" in row.values}
    if len(names) > 1:
        raise UserError(f"{path}: holds answers of several models: {', '.join(sorted(names))}")
    return names.pop() if names else path.name.partition(".")[0]
