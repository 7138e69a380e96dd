"""Where the length-controlled model's data come from, and whether they are the official ones."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.data.catalog import entry
from evaluation.data.files import BenchmarkFiles
from evaluation.data.find import find_files
from evaluation.rows import read_text
from evaluation.statistics import Array
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file

BENCHMARK = "alpaca-eval"
ROLES = ("df_gamed", "instruction_difficulty", "weights")


@dataclass(frozen=True)
class GlmFiles:
    """Files of the length-controlled model.

    Attributes:
        source: where they were found, for the result.
        df_gamed: the regulariser, with the difficulties; None: no length control.
        difficulty: difficulties alone, for published weights.
        weights: published weights.
    """

    source: str
    df_gamed: Path | None = None
    difficulty: Path | None = None
    weights: Path | None = None

    @property
    def official(self) -> bool:
        """Whether ``df_gamed`` is the file that the leaderboard was made with."""
        known = {
            file.sha256
            for variant in entry(BENCHMARK).roles["df_gamed"].variants
            if variant.form == "official"
            for file in variant.files
        }
        return self.df_gamed is not None and sha256_file(self.df_gamed) in known

    def hashes(self) -> dict[str, str]:
        """sha256 by role."""
        paths = {
            "df_gamed": self.df_gamed,
            "instruction_difficulty": self.difficulty,
            "weights": self.weights,
        }
        return {role: sha256_file(path) for role, path in paths.items() if path is not None}


def find_glm(
    glm: Path | None = None, reference: Path | None = None, weights: Path | None = None
) -> GlmFiles:
    """Look in the given folder, else in the registry's files, else beside the reference.

    Args:
        glm: the user's folder; then nothing else is looked at.
        reference: file beside which a folder ``glm`` may lie.
        weights: the user's file of published weights.

    Raises:
        UserError: the given folder holds no such data.
    """
    if weights is not None and not weights.is_file():
        raise InvalidSetting(f"{weights}: no such file")
    if glm is not None:
        if not glm.is_dir():
            raise InvalidSetting(f"{glm}: no such folder")
        found = _in(glm, str(glm), weights)
        if found.df_gamed is None:
            raise UserError(f"{glm}: holds no df_gamed.csv")
        return found
    registry = registered(find_files(BENCHMARK), weights)
    beside = None if reference is None else reference.resolve().parent / "glm"
    if registry.df_gamed is None and beside is not None and beside.is_dir():
        return _in(beside, f"{beside}, beside the reference", weights)
    return registry


def registered(files: BenchmarkFiles, weights: Path | None = None) -> GlmFiles:
    """Those among a benchmark's files."""
    return GlmFiles(
        "the benchmark data on this machine",
        files.get("df_gamed"),
        files.get("instruction_difficulty"),
        weights or files.get("weights"),
    )


def _in(folder: Path, source: str, weights: Path | None) -> GlmFiles:
    """By the names that the registry knows, whatever the content: the folder was meant."""
    df_gamed, difficulty, own = (_named(folder, role) for role in ROLES)
    return GlmFiles(source, df_gamed, difficulty, weights or own)


def _named(folder: Path, role: str) -> Path | None:
    names = [
        name.removesuffix(".gz") + ending
        for variant in entry(BENCHMARK).roles[role].variants
        for name in (file.name for file in variant.files)
        for ending in ("", ".gz")
    ]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_difficulty(path: Path) -> Array:
    """(N,) by instruction: ``instruction_difficulty.csv``.

    Raises:
        UserError: it is another file.
    """
    rows = list(csv.reader(read_text(path).splitlines()))[1:]
    try:
        found = {int(index): float(value) for index, value in rows}
    except ValueError:
        raise UserError(f"{path}: must have rows of an index and a number") from None
    if sorted(found) != list(range(len(rows))) or not rows:
        raise UserError(f"{path}: must have one row for each instruction")
    return np.array([found[k] for k in range(len(rows))])


def read_weights(path: Path) -> dict[str, Array]:
    """Published weights by model: of tanh(std_delta_len), difficulty and not_gamed_baseline.

    Raises:
        UserError: it is another file.
    """
    rows = list(csv.reader(read_text(path).splitlines()))
    found = {}
    for number, row in enumerate(rows[1:], 1):
        try:
            name, *values = row
            found[name] = np.array([float(value) for value in values])
            if len(values) != 3 or not np.isfinite(found[name]).all():
                raise ValueError
        except ValueError:
            raise UserError(f"{path}, row {number}: must be a model and three weights") from None
    return found


def published(weights: Array, difficulty: Array, baseline: Array | None = None) -> float:
    """Length-controlled win rate in percent by published weights.

    Args:
        weights: (3,) of the model.
        difficulty: (N,) of all instructions.
        baseline: (3,) of the model it is compared with; None is the leaderboard's, all zero.
    """
    _, b, c = weights if baseline is None else weights - baseline
    return 100 * float((1 / (1 + np.exp(-(c + b * difficulty)))).mean())
