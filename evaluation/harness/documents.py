"""The documents of a benchmark from a folder of files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.harness.records import Document, to_document
from evaluation.harness.suite import Task
from evaluation.rows import read_rows
from mnpo.errors import UserError
from mnpo.runs.files import digest

_ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".csv", ".csv.gz")


@dataclass(frozen=True)
class Documents:
    """What one benchmark's local files hold.

    Attributes:
        evaluated: documents the model is asked about, in the files' order.
        examples: documents for examples in the prompt; () where there is no such file.
        files: their names, by role.
        sha256: over both, independent of how the files are written.
    """

    evaluated: tuple[Document, ...]
    examples: tuple[Document, ...]
    files: Mapping[str, str]
    sha256: str


def load_documents(task: Task, folder: Path) -> Documents | None:
    """Read a benchmark's files; None where they are not there.

    Raises:
        UserError: a file cannot be read, a record is not what it should be, or there are more
            documents than the benchmark has.
    """
    path = find_file(folder, task.files)
    if path is None:
        return None
    evaluated = _read(task, path)
    if not evaluated:
        raise UserError(f"{path}: holds no documents")
    if len(evaluated) > task.size:
        raise UserError(
            f"{path}: holds {len(evaluated)} documents, and {task.title} has {task.size}; some are "
            "there twice, or it is another benchmark"
        )
    files = {"documents": path.name}
    examples: tuple[Document, ...] = ()
    example_path = find_file(folder, task.example_files)
    if example_path is not None:
        examples = _read(task, example_path)
        files["examples"] = example_path.name
    sha256 = digest({"evaluated": evaluated, "examples": examples})
    return Documents(evaluated, examples, files, sha256)


def find_file(folder: Path, stems: tuple[str, ...]) -> Path | None:
    """The first file of these names, with any of the endings that `read_rows` reads."""
    for stem in stems:
        for ending in _ENDINGS:
            path = folder / (stem + ending)
            if path.is_file():
                return path
    return None


def _read(task: Task, path: Path) -> tuple[Document, ...]:
    return tuple(to_document(task.name, row) for row in read_rows(path))
