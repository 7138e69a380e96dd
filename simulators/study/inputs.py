"""The files that a study reads, and what was in them."""

import os
from collections.abc import Iterator
from pathlib import Path

from mnpo.runs import sha256_file
from simulators.study.config import StudyConfig


def input_files(config: StudyConfig) -> dict[str, str]:
    """The game files and counts of a study with the sha256 of their bytes; empty without any.

    A run directory keeps them, so that a changed file is another study as a changed setting is.

    Raises:
        OSError: a file that cannot be read.
    """
    found = {str(path): path for path in _paths(config)}
    return {name: sha256_file(path) for name, path in sorted(found.items()) if path.is_file()}


def _paths(config: StudyConfig) -> Iterator[Path]:
    if config.game.startswith("file:"):
        game = Path(os.path.expanduser(config.game.removeprefix("file:")))
        yield game
        for counts in _values(config, "counts"):
            # As the reader looks them up: as given, else beside the game.
            given = Path(os.path.expanduser(counts))
            yield given if given.exists() else game.parent / counts
        return
    for key in {*config.game_parameters, *(axis.removeprefix("game.") for axis in config.sweep)}:
        for text in _values(config, key):
            if text.startswith("file:"):  # a game made from another: file:PATH;key=value
                yield Path(os.path.expanduser(text.removeprefix("file:").partition(";")[0]))


def _values(config: StudyConfig, key: str) -> list[str]:
    """The texts that a game's parameter is set to or swept over."""
    swept = [*config.sweep.get(key, ()), *config.sweep.get(f"game.{key}", ())]
    return [v for v in (config.game_parameters.get(key), *swept) if isinstance(v, str)]
