"""Given answers on disk, each a line of JSON, so that none is asked twice, also after a crash."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from mnpo.runs.files import digest

_LOG = logging.getLogger(__name__)


class AnswerStore:
    """Answers by key, appended to a file as they come.

    A line is one write: a killed process leaves at most its last line torn. Each line carries a
    hash of its key and answer. One that is torn or altered is skipped with a warning when the file
    is read again, so that question is asked again. Several processes may append to one file; each
    sees what was there when it started.

    Args:
        path: a .jsonl file, made with its folder at the first answer; None keeps answers in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._answers: dict[str, Any] = {}
        if path is not None and path.is_file():
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
        record = {"key": key, "answer": answer, "seal": _seal(key, answer), **notes}
        data = (json.dumps(record, allow_nan=False) + "\n").encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            while data:
                data = data[os.write(handle, data) :]
        except OSError as error:
            error.filename = str(self.path)  # a failed write names no file
            raise
        finally:
            os.close(handle)

    def _read(self, path: Path) -> None:
        torn = 0
        with path.open("rb") as file:
            line = b"\n"
            for line in file:
                try:
                    record = json.loads(line)
                    key, answer = record["key"], record["answer"]
                    intact = record["seal"] == _seal(key, answer)
                except (ValueError, KeyError, TypeError):
                    intact = False
                if intact:
                    self._answers[key] = answer
                else:
                    torn += 1
        if torn:
            _LOG.warning("%s: %d damaged lines skipped; those answers are asked again", path, torn)
        if not line.endswith(b"\n"):  # the next answer starts a line of its own
            with path.open("ab") as file:
                file.write(b"\n")


def _seal(key: str, answer: Any) -> str:
    """Of what is used of a line; 64 bits tell an altered one."""
    return digest([key, answer])[:16]
