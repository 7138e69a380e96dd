"""Finished tasks on disk, so that a killed run goes on where it was."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnpo.runs.files import digest, write_atomically


@dataclass(frozen=True)
class Finished:
    """What lm-eval said of one of its tasks.

    Attributes:
        unit: lm-eval's name of the task.
        key: everything the result depends on: hashes of model, definition and documents, limits,
            template, versions.
        results: lm-eval's results, without the samples.
        samples: its logged samples.
        cut_prompts: requests whose prompt lost its beginning.
    """

    unit: str
    key: Mapping[str, Any]
    results: Mapping[str, Any]
    samples: Sequence[Mapping[str, Any]]
    cut_prompts: int


class FinishedStore:
    """Results by the hash of their key, one file each, whole or absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, unit: str, key: Mapping[str, Any]) -> Finished | None:
        """What was stored under the key; None where nothing, or a damaged file, is there."""
        try:
            found = json.loads(gzip.decompress(self._path(unit, key).read_bytes()))
        except (OSError, ValueError, EOFError):
            return None
        return Finished(**found) if found["key"] == json.loads(json.dumps(key)) else None

    def put(self, finished: Finished) -> Finished:
        """Store a result, and give it back as it will be read.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(finished), ensure_ascii=False)
        path = self._path(finished.unit, finished.key)
        write_atomically(path, gzip.compress(text.encode(), mtime=0))
        return Finished(**json.loads(text))

    def _path(self, unit: str, key: Mapping[str, Any]) -> Path:
        return self._folder / f"{unit}-{digest(dict(key))[:16]}.json.gz"
