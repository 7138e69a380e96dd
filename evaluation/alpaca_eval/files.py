"""Scores from stored annotations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from evaluation.alpaca_eval.glm_files import BENCHMARK, find_glm
from evaluation.alpaca_eval.many import several
from evaluation.alpaca_eval.reading import Annotations, Outputs, read_annotations, read_outputs
from evaluation.alpaca_eval.reference import read_reference
from evaluation.alpaca_eval.sample import Sample, require_complete, stored_sample
from evaluation.alpaca_eval.scoring import REPLICATES, load, score_samples
from evaluation.data.find import find_files
from evaluation.records import Answer, ModelAnswers
from evaluation.scores import Scores
from evaluation.suspicion import flags_of
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file

_File = TypeVar("_File", Annotations, Outputs)
_ENDINGS = (".json", ".jsonl", ".csv", ".json.gz", ".jsonl.gz", ".csv.gz")


def score_files(
    annotations: Sequence[Path],
    outputs: Sequence[Path] = (),
    reference: Path | None = None,
    *,
    glm: Path | None = None,
    weights: Path | None = None,
    seed: int = 0,
    replicates: int = REPLICATES,
    allow_missing: bool = False,
    jobs: int = 1,
) -> Scores:
    """Score stored annotations without asking anyone.

    Args:
        annotations: one file for each model; a folder stands for all files in it.
        outputs: the models' answers, one file each; models are matched by name. Not needed where
            the annotations carry the answers.
        reference: the baseline's answers; None takes the benchmark's from this machine.
        glm: folder with ``df_gamed.csv`` and the like; None looks for them.
        weights: published weights of the length-controlled model.
        seed: of the bootstrap.
        replicates: draws of the bootstrap.
        allow_missing: score although rows or preferences are missing.
        jobs: processes at most; they start anew, so that a script which asks for several must
            keep its own start under ``if __name__ == "__main__":``. Results do not depend on it.

    Raises:
        InvalidSetting: no annotations, a folder that is not there, or no process.
        UserError: a file cannot be used, two files are of one model, or rows are missing.
    """
    if not annotations:
        raise InvalidSetting("give at least one file with --annotations")
    if replicates < 2:
        raise InvalidSetting(f"replicates must be at least 2, got {replicates}")
    files = find_glm(glm, reference, weights)
    where = reference or find_files(BENCHMARK)["reference"]
    known = read_reference(where)
    judged = _by_model([read_annotations(path, known) for path in _expanded(annotations)])
    answers = _by_model([read_outputs(path, known) for path in _expanded(outputs)])
    strangers = [own for model, own in answers.items() if model not in judged]
    if strangers:
        raise UserError(
            f"{strangers[0].path}: outputs of '{strangers[0].model}', but the annotations are of "
            f"{', '.join(list(judged)[:5])}"
        )
    judges = {own.judge: own.path for own in judged.values()}
    if len(judges) > 1:
        (first, a), (second, b), *_ = judges.items()
        raise UserError(f"{a} is by '{first}' and {b} by '{second}': score one judge at a time")
    given = [answers.get(model) for model in judged]
    samples = [
        stored_sample(own, outputs, known)
        for own, outputs in zip(judged.values(), given, strict=True)
    ]
    require_complete(samples, known, allow_missing)
    data = load(known, files)
    with several(jobs, len(samples)) as each:
        return score_samples(
            each(_described, samples, judged.values(), given),
            data,
            judge=next(iter(judges)),
            seed=seed,
            replicates=replicates,
            hashes={"reference": sha256_file(where)},
            settings={"baseline": known.generator, "instructions": len(known.prompts)},
            each=each,
        )


def _described(sample: Sample, annotations: Annotations, outputs: Outputs | None) -> Sample:
    """With the files' hashes, and warnings about the answers where they are known."""
    hashes = {"annotations": sha256_file(annotations.path)}
    if outputs is not None:
        hashes["outputs"] = sha256_file(outputs.path)
    sample = replace(sample, details={"hashes": hashes})
    texts = outputs.texts if outputs is not None else annotations.outputs
    if not texts:
        return sample
    answers = ModelAnswers(sample.model, {str(k): Answer((text,)) for k, text in texts.items()})
    return sample.flagged(flags_of(answers))


def _by_model(files: Sequence[_File]) -> dict[str, _File]:
    found: dict[str, _File] = {}
    for own in files:
        if own.model in found:
            raise UserError(
                f"{own.path}: is of '{own.model}', and so is {found[own.model].path}; give one "
                "file for each model"
            )
        found[own.model] = own
    return found


def _expanded(paths: Sequence[Path]) -> list[Path]:
    """Folders replaced by their files, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(own for own in path.iterdir() if own.name.endswith(_ENDINGS))
        if not inside:
            raise UserError(f"{path}: holds no .json, .jsonl or .csv file")
        found += inside
    return found
