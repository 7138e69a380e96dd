"""The second stage: the trained policies are evaluated, in a run directory inside the run's own."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluation.records import spread
from evaluation.suite.benchmarks import open_judged
from evaluation.suite.settings import CACHE, EvaluationSettings, what_counts
from leaderboards.chain.places import is_whole
from mnpo.errors import UserError
from mnpo.runs import write_atomically
from mnpo.runs.alive import LOCK, is_at_work
from mnpo.runs.directory import dump_yaml
from mnpo.runs.reading import load_written
from mnpo.training.runs.run import START, RunResult

#: What is kept where an evaluation is made anew: each piece stands under a hash of everything that
#: it depends on, so that only what has changed is made again, and no verdict is paid twice.
_KEPT = ("stages", "lm-eval-runs", LOCK, "run.yaml", CACHE, f"{CACHE}-wal", f"{CACHE}-shm")


def is_up_to_date(folder: Path, settings: EvaluationSettings, policies: Mapping[str, str]) -> bool:
    """Whether an evaluation is finished, and is the one that would be made now.

    Args:
        folder: the evaluation's.
        settings: that it would be made with.
        policies: sha256 of the weights of each model.
    """
    manifest = _read(folder / "manifest.json", json.loads)
    if manifest.get("status") != "done" or not _is_same(folder, settings):
        return False
    inputs, outputs = _mapping(manifest.get("inputs")), _mapping(manifest.get("outputs"))
    if {name: inputs.get(f"model {name}") for name in policies} != dict(policies):
        return False
    for name, sha256 in _benchmark_files(settings).items():
        if inputs.get(name) != sha256:
            return False
    return is_whole(folder, outputs)


def make_room(folder: Path, settings: EvaluationSettings, policies: Mapping[str, str]) -> bool:
    """Put an evaluation away that is not the one that would be made now, but for what it can use.

    A kill in between leaves a folder that the next call treats in the same way.

    Returns:
        whether there was one.

    Raises:
        UserError: another process works in it, or the folder holds something else.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return False
    if not (folder / "run.yaml").is_file():
        raise UserError(f"{folder} is not empty and holds no evaluation; move it away")
    if _is_takeable(folder, settings, policies):
        return False
    if is_at_work(folder):
        raise UserError(f"another process is evaluating in {folder}; wait for it")
    for entry in folder.iterdir():
        if entry.name not in _KEPT:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    write_atomically(folder / "run.yaml", dump_yaml(settings.model_dump(mode="json")))
    return True


def weights_of(trained: RunResult, start: str) -> dict[str, str]:
    """sha256 of the weights of every model that is evaluated, by its name."""
    return {START: start} | {name: own.sha256 for name, own in trained.policies.items()}


def _is_takeable(folder: Path, settings: EvaluationSettings, policies: Mapping[str, str]) -> bool:
    """Whether `run_evaluation` would go on in it."""
    there = _read(folder / "run.yaml", load_written)
    if what_counts(there) != what_counts(settings.model_dump(mode="json")):
        return False
    if not (folder / "manifest.json").is_file():
        return True
    inputs = _mapping(_read(folder / "manifest.json", json.loads).get("inputs"))
    wanted = {f"model {name}": sha256 for name, sha256 in policies.items()}
    wanted |= _benchmark_files(settings)
    return bool(inputs) and all(inputs.get(name, own) == own for name, own in wanted.items())


def _is_same(folder: Path, settings: EvaluationSettings) -> bool:
    """Whether an evaluation was made with these settings; wherever its folder has been moved."""
    there = _read(folder / "run.yaml", load_written)
    here = settings.model_dump(mode="json")
    return _without_places(what_counts(there)) == _without_places(what_counts(here))


def _without_places(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the models by their names alone: their weights are compared by hash."""
    models = config.get("models")
    names = [_mapping(own).get("name") for own in models] if isinstance(models, list) else None
    return {**config, "models": names}


def _benchmark_files(settings: EvaluationSettings) -> dict[str, str]:
    """sha256 of the files behind the benchmarks, under the names of an evaluation's manifest."""
    names = [name for name in settings.benchmarks if name not in ("cross-play", "lm-eval")]
    if "cross-play" in settings.benchmarks:
        names.append(settings.cross_play.questions)
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        benchmark = open_judged(name, settings)
        if settings.limit is not None:
            chosen = spread(benchmark.questions(), settings.limit)
            benchmark = benchmark.only({question.id for question in chosen})
        hashes = benchmark.hashes()
        found |= {f"{name} {role}": sha256 for role, sha256 in hashes.items()}
    return found


def _read(file: Path, parse: Any) -> dict[str, Any]:
    """The keys of a file; none where it is missing, damaged or something else."""
    try:
        loaded = parse(file.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
