"""Given answers on disk, each a line of JSON, so that none is asked twice, also after a crash."""

import json
import logging
import os
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


class AnswerStore:
    """Answers by key, appended to a file as they come.

    A line is one write: a killed process leaves at most its last line torn. Such a line is
    skipped with a warning when the file is read again, so that question is asked again. Several
    processes may append to one file; each sees what was there when it started.

    Args:
        path: a .jsonl file, made with its folder where absent; None keeps answers in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._answers: dict[str, Any] = {}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file():
                self._read(path)

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> Any:
        return self._answers[key]

    def __len__(self) -> int:
        return len(self._answers)

    def put(self, key: str, answer: Any, **notes: Any) -> None:
        """Keep an answer.

        Args:
            key: hex digest of everything that the answer depends on.
            answer: JSON-ready.
            notes: written beside it for the reader of the file; not kept in memory.

        Raises:
            OSError: the disk is full or not writable.
        """
        self._answers[key] = answer
        if self.path is None:
            return
        line = json.dumps({"key": key, "answer": answer, **notes}, allow_nan=False) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            data = line.encode()
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)

    def _read(self, path: Path) -> None:
        torn = 0
        with path.open("rb") as file:
            line = b"\n"
            for line in file:
                try:
                    record = json.loads(line)
                    self._answers[record["key"]] = record["answer"]
                except (ValueError, KeyError, TypeError):
                    torn += 1
        if torn:
            _LOG.warning("%s: %d torn lines skipped; those answers are asked again", path, torn)
        if not line.endswith(b"\n"):  # the next answer starts a line of its own
            with path.open("ab") as file:
                file.write(b"\n")
