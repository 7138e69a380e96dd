"""What a run of the suite would do: each task's documents, shots, and why one cannot be run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.harness.definitions import Unit, definition_folder, units
from evaluation.harness.documents import Documents, load_documents
from evaluation.harness.suite import Task
from mnpo.errors import InvalidSetting
from mnpo.runs.files import digest, sha256_file


@dataclass(frozen=True)
class HarnessSettings:
    """How the suite is run.

    Attributes:
        data_dir: folder with the benchmarks' files; None takes documents from the hub.
        limit: documents of each task at most; of MMLU, of each subject.
        num_fewshot: examples in the prompt, None for the suite's.
        max_gen_toks: longest answer, None for the definitions' own.
        batch_size: requests at once.
        device: where the model runs.
        precision: "float32" or "bfloat16".
        allow_code: run programs that the model wrote, in the sandbox.
        chat_template: put prompts into the model's chat template, examples as turns.
    """

    data_dir: Path | None = None
    limit: int | None = None
    num_fewshot: int | None = None
    max_gen_toks: int | None = None
    batch_size: int = 1
    device: str = "cpu"
    precision: str = "float32"
    allow_code: bool = False
    chat_template: bool = False

    def __post_init__(self) -> None:
        for name in ("limit", "max_gen_toks", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidSetting(f"{name} must be at least 1, got {value}")
        if self.precision not in ("float32", "bfloat16"):
            raise InvalidSetting(f"precision must be float32 or bfloat16, got {self.precision!r}")
        if self.data_dir is not None and not self.data_dir.is_dir():
            raise InvalidSetting(f"{self.data_dir}: no such folder")


@dataclass(frozen=True)
class Planned:
    """One task of a run.

    Attributes:
        task: of the suite.
        units: lm-eval's tasks that make it up; () where it is not run.
        not_run: why it is not run, "" where it is.
        documents: that would be asked about; None where only the hub knows.
        available: documents in the files.
        unscorable: of those, the ones whose check cannot be made here.
        labels: how it differs from the suite's definition, one line each.
        hashes: sha256 by role: data, task.
    """

    task: Task
    units: tuple[Unit, ...] = ()
    not_run: str = ""
    documents: int | None = None
    available: int | None = None
    unscorable: int = 0
    labels: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """JSON-ready: the task's definition, to be quoted with its figure."""
        return {
            "title": self.task.title,
            "status": f"not run: {self.not_run}" if self.not_run else "run",
            "documents": self.documents,
            "of": self.task.size,
            "shots": sorted({own.shots for own in self.units}) or None,
            "metric": self.task.metrics[0].key,
            "prompt": "lm-eval " + ", ".join(self._files()),
            "labels": list(self.labels),
            "note": self.task.note,
            "hashes": dict(self.hashes),
        }

    def _files(self) -> list[str]:
        """lm-eval's, of the definitions in use."""
        named = {own.name for own in self.units}
        instead = [file for name, file in self.task.chat_definitions if name in named]
        return instead or [file for _, file in self.task.definitions]


def plan(
    tasks: Sequence[Task], settings: HarnessSettings, *, context: int | None = None
) -> tuple[Planned, ...]:
    """Read the files and definitions, and say what would be run; no model is loaded.

    Args:
        tasks: of the suite.
        settings: of the run.
        context: tokens the model can read at once; answers get at most half of them.

    Raises:
        UserError: a file or setting is wrong.
    """
    return tuple(_plan(task, settings, context) for task in tasks)


def _plan(task: Task, settings: HarnessSettings, context: int | None) -> Planned:
    if task.runs_code and not settings.allow_code:
        return Planned(
            task, not_run="it runs programs that the model wrote; allow it with --allow-code"
        )
    documents = None
    unscorable: list[int] = []
    if settings.data_dir is not None:
        documents = load_documents(task, settings.data_dir)
        if documents is None:
            where = f"{task.files[0]}.jsonl (or .json, .csv, .gz)"
            note = f"; {task.note}" if task.name == "gpqa" else ""
            return Planned(task, not_run=f"not available: the data folder has no {where}{note}")
    available = None if documents is None else len(documents.evaluated)
    found = units(
        task,
        documents,
        num_fewshot=settings.num_fewshot,
        most_tokens=_most_tokens(settings, context),
        chat=settings.chat_template,
    )
    labels: list[str] = []
    if task.name == "ifeval":
        documents, found, unscorable = _without_unscorable(documents, found, settings.limit)
        if unscorable:
            from evaluation.harness.ifeval import NOTE

            labels.append(f"{len(unscorable)} documents left out: {NOTE}")
        if documents is not None and not documents.evaluated:
            return Planned(task, not_run=labels[0], unscorable=len(unscorable))
    for own in found:
        labels += own.labels
    count = _count(task, documents, settings.limit)
    if count is not None and count + len(unscorable) < task.size:
        labels.insert(0, f"subset: {count} of {task.size}")
    elif count is None and settings.limit is not None:
        labels.insert(0, f"subset: at most {settings.limit} documents of each task")
    if task.name == "truthfulqa" and documents is not None:
        path = str(documents.files["documents"])
        if path.startswith("TruthfulQA"):
            labels.append("choices made from the table of answers, not the multiple-choice file")
    return Planned(
        task,
        tuple(found),
        "",
        count,
        available,
        len(unscorable),
        tuple(dict.fromkeys(labels)),
        _hashes(task, documents, found),
    )


def _most_tokens(settings: HarnessSettings, context: int | None) -> int | None:
    limits = [settings.max_gen_toks, None if context is None else context // 2]
    return min((own for own in limits if own is not None), default=None)


def _without_unscorable(
    documents: Documents | None, found: list[Unit], limit: int | None
) -> tuple[Documents | None, list[Unit], list[int]]:
    from evaluation.harness.ifeval import unscorable

    if documents is None:
        (unit,) = found

        def scorable(dataset: Any) -> Any:
            bad = set(unscorable(list(dataset)))
            return dataset.select([i for i in range(len(dataset)) if i not in bad])

        return None, [replace(unit, config=unit.config | {"process_docs": scorable})], []
    asked = documents.evaluated[:limit]
    bad = unscorable(asked)
    if not bad:
        return documents, found, bad
    import datasets

    kept = [own for i, own in enumerate(asked) if i not in set(bad)]
    splits = {"evaluated": datasets.Dataset.from_list(kept)}
    (unit,) = found
    config = unit.config | {"custom_dataset": lambda **_: splits}
    return replace(documents, evaluated=tuple(kept)), [replace(unit, config=config)], bad


def _count(task: Task, documents: Documents | None, limit: int | None) -> int | None:
    if documents is None:
        return None
    if task.name != "mmlu":
        count = len(documents.evaluated)
        return count if limit is None else min(count, limit)
    sizes: dict[str, int] = {}
    for own in documents.evaluated:
        sizes[own["subject"]] = sizes.get(own["subject"], 0) + 1
    return sum(size if limit is None else min(size, limit) for size in sizes.values())


def _hashes(task: Task, documents: Documents | None, found: Sequence[Unit]) -> dict[str, str]:
    """Of the documents asked about, and of lm-eval's files with prompts, metrics and filters."""
    hashes = {}
    if documents is not None:
        hashes["data"] = digest([documents.sha256, len(documents.evaluated)])
    folder = definition_folder()
    names = {file.split("/")[0] for _, file in task.definitions}
    files = sorted(
        path
        for name in names
        for path in (folder / name).rglob("*")
        if path.suffix in (".yaml", ".py") or path.name.endswith("_yaml")
    )
    plain = [
        {name: value for name, value in own.config.items() if _is_plain(value)} for own in found
    ]
    contents = {str(path.relative_to(folder)): sha256_file(path) for path in files}
    hashes["task"] = digest({"files": contents, "configs": plain})
    return hashes


def _is_plain(value: Any) -> bool:
    """Functions stand in the files, which are hashed."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float))
