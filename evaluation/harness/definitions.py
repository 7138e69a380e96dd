"""lm-eval's own definitions of tasks, with their documents taken from where the user has them."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.harness.documents import Documents
from evaluation.harness.ifeval import EXTRAS, without_downloads
from evaluation.harness.records import Document
from evaluation.harness.suite import Task
from mnpo.errors import InvalidSetting, UserError

#: Where these have their documents on the hub, if not where lm-eval's definition says.
_HUB = {"minerva-math": {"dataset_path": "knoveleng/Minerva-Math", "dataset_name": None}}
#: Splits of those.
_HUB_SPLIT = {"minerva-math": "train"}


@dataclass(frozen=True)
class Unit:
    """One task of lm-eval, ready to be run.

    Attributes:
        name: lm-eval's.
        config: its definition.
        shots: examples in the prompt.
        labels: how it differs from the suite's definition, one line each.
    """

    name: str
    config: dict[str, Any]
    shots: int
    labels: tuple[str, ...] = field(default=())


def units(
    task: Task,
    documents: Documents | None,
    *,
    num_fewshot: int | None = None,
    most_tokens: int | None = None,
    chat: bool = False,
) -> list[Unit]:
    """The tasks of lm-eval that make up one benchmark.

    Args:
        task: the benchmark.
        documents: local ones; None leaves them to the hub.
        num_fewshot: examples in the prompt, None for the suite's.
        most_tokens: longest answer; a definition's own limit stays where it is lower.
        chat: prompts will be put into a chat template.

    Raises:
        InvalidSetting: the number of examples cannot be had.
        UserError: a package that lm-eval's definition needs is not installed.
    """
    found = []
    for name, file in _definitions(task, documents, chat):
        config = _read(task, file)
        config["task"] = name
        config.pop("tag", None)
        labels: list[str] = []
        subject = name.removeprefix("mmlu_") if task.name == "mmlu" else None
        if documents is None:
            _take_from_hub(task, config)
        else:
            _take_local(task, config, documents, subject)
        shots = _shots(task, config, documents, num_fewshot, labels, subject)
        config["num_fewshot"] = shots
        if most_tokens is not None and config["output_type"] == "generate_until":
            _bound_answers(config, most_tokens, labels)
        found.append(Unit(name, config, shots, tuple(labels)))
    return found


def definition_folder() -> Path:
    """``lm_eval/tasks`` of the installed package."""
    import lm_eval.tasks

    return Path(lm_eval.tasks.__file__).parent


def _definitions(task: Task, documents: Documents | None, chat: bool) -> list[tuple[str, str]]:
    if chat and task.chat_definitions:
        return list(task.chat_definitions)
    if task.name != "mmlu":
        return list(task.definitions)
    ((name, file),) = task.definitions
    folder = definition_folder()
    known = sorted(
        path.stem.removeprefix("mmlu_") for path in (folder / "mmlu/default").glob("mmlu_*.yaml")
    )
    subjects = known
    if documents is not None:
        subjects = list(dict.fromkeys(str(own["subject"]) for own in documents.evaluated))
        for subject in subjects:
            if subject not in known:
                raise UserError(f"MMLU: lm-eval knows no subject '{subject}'")
    return [(name.format(subject=own), file.format(subject=own)) for own in subjects]


def _read(task: Task, file: str) -> dict[str, Any]:
    from lm_eval.tasks._yaml_loader import load_yaml

    path = definition_folder() / file
    if task.runs_code:
        # Not with its functions: lm-eval's module fetches a metric from the hub and runs a
        # program when it is imported.
        from evaluation.harness.humaneval import with_sandbox

        return with_sandbox(dict(load_yaml(path, resolve_func=False)))
    try:
        with without_downloads():
            return dict(load_yaml(path))
    except ImportError as error:
        raise UserError(
            f"{task.title}: lm-eval's definition needs a package that is not installed "
            f"({' '.join(str(error).split())[:120]}); {EXTRAS}"
        ) from None


def _take_from_hub(task: Task, config: dict[str, Any]) -> None:
    if task.name in _HUB:
        config.update(_HUB[task.name])
        config["test_split"] = _HUB_SPLIT[task.name]
        config["training_split"] = None


def _take_local(
    task: Task, config: dict[str, Any], documents: Documents, subject: str | None
) -> None:
    evaluated: Sequence[Document] = documents.evaluated
    examples: Sequence[Document] = documents.examples
    if subject is not None:
        evaluated = [own for own in evaluated if own["subject"] == subject]
        examples = [own for own in examples if own["subject"] == subject]
    prepare = config.pop("process_docs", None)
    if task.name == "hellaswag":
        prepare = None  # the records were prepared when they were read
    splits = {"evaluated": _dataset(evaluated, prepare)}
    for role in ("training_split", "validation_split", "test_split", "fewshot_split"):
        config.pop(role, None)
    config["test_split"] = "evaluated"
    if examples:
        splits["examples"] = _dataset(examples, prepare)
        config["fewshot_split"] = "examples"

    def local(**_: Any) -> dict[str, Any]:
        return splits

    config["custom_dataset"] = local
    for name in ("dataset_path", "dataset_name", "dataset_kwargs"):
        config.pop(name, None)


def _dataset(documents: Sequence[Document], prepare: Callable[[Any], Any] | None) -> Any:
    """Prepared once: some definitions shuffle choices whenever they are asked for documents."""
    import datasets

    found = datasets.Dataset.from_list(list(documents))
    if prepare is None:
        return found
    state = random.getstate()
    random.seed(0)  # as lm_eval.simple_evaluate does before it loads a task
    try:
        with _no_bars():
            return prepare(found)
    finally:
        random.setstate(state)


@contextmanager
def _no_bars() -> Iterator[None]:
    import datasets

    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _shots(
    task: Task,
    config: dict[str, Any],
    documents: Documents | None,
    asked: int | None,
    labels: list[str],
    subject: str | None,
) -> int:
    if asked is not None and asked < 0:
        raise InvalidSetting(f"num_fewshot must be at least 0, got {asked}")
    if task.fixed_shots:
        return task.shots
    wanted = task.shots if asked is None else asked
    if asked is not None and asked != task.shots:
        labels.append(f"{asked}-shot instead of the suite's {task.shots}")
    own_examples = (config.get("fewshot_config") or {}).get("samples")
    if documents is None or wanted == 0:
        return wanted
    if own_examples is not None:
        count = len(own_examples() if callable(own_examples) else own_examples)
    else:
        count = sum(subject is None or own["subject"] == subject for own in documents.examples)
    if wanted <= count:
        return wanted
    what = f"{task.title}{'' if subject is None else f' ({subject})'}"
    if asked is not None or count:
        raise InvalidSetting(
            f"{what}: {wanted} examples are wanted and there are {count}; put more into "
            f"{task.example_files[0] if task.example_files else 'the definition'}.jsonl of the "
            "data folder, or ask for fewer"
        )
    labels.append(f"0-shot instead of {wanted}-shot: the data folder has no examples")
    return 0


def _bound_answers(config: dict[str, Any], most: int, labels: list[str]) -> None:
    settings = dict(config.get("generation_kwargs") or {})
    own = settings.get("max_gen_toks", 256)  # lm-eval's default
    if own > most:
        labels.append(f"answers of at most {most} tokens instead of {own}")
    settings["max_gen_toks"] = min(own, most)
    config["generation_kwargs"] = settings
