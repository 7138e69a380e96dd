"""One of lm-eval's tasks on one model, through `lm_eval.simple_evaluate`."""

import contextlib
import functools
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.harness.definitions import Unit
from evaluation.harness.silence import silence
from evaluation.harness.store import Finished
from mnpo.errors import InvalidSetting, UserError


def run_unit(
    language_model: Any, unit: Unit, key: Mapping[str, Any], *, limit: int | None, chat: bool
) -> Finished:
    """Ask the model, and keep what lm-eval says as JSON-ready values.

    Args:
        language_model: an lm-eval LM.
        unit: the task.
        key: what the result is to be stored under.
        limit: documents at most.
        chat: whether prompts are put into the model's chat template.

    Raises:
        UserError: the documents are on a hub that cannot be reached.
        InvalidSetting: not called from the main thread, which lm-eval's answer checks need for
            their timeouts.
    """
    from lm_eval.utils import handle_non_serializable

    if threading.current_thread() is not threading.main_thread():
        raise InvalidSetting("lm-eval's checks of answers run in the main thread only")
    language_model.cut_prompts = 0
    with silence(), _environment_once():
        evaluated = _evaluate(language_model, unit, limit, chat)
    samples = evaluated.pop("samples")[unit.name]
    ready = json.loads(
        json.dumps(
            {"results": evaluated, "samples": [_official_form(own) for own in samples]},
            default=handle_non_serializable,
            ensure_ascii=False,
        )
    )
    return Finished(unit.name, key, ready["results"], ready["samples"], language_model.cut_prompts)


def _evaluate(language_model: Any, unit: Unit, limit: int | None, chat: bool) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    try:
        found = simple_evaluate(
            model=language_model,
            # A copy: lm-eval changes what it is given.
            tasks=[dict(unit.config)],
            task_manager=TaskManager(include_defaults=False),
            limit=limit,
            apply_chat_template=chat,
            log_samples=True,
        )
    except (ConnectionError, FileNotFoundError) as error:
        if "custom_dataset" in unit.config:
            raise
        reason = " ".join(str(error).split())[:160]
        raise UserError(
            f"{unit.name}: its documents cannot be fetched from the hub ({reason}); name a folder "
            "that holds them with --data-dir"
        ) from None
    assert found is not None
    return dict(found)


def _official_form(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample as lm-eval writes it to samples_*.jsonl."""
    arguments = {
        f"gen_args_{i}": {f"arg_{j}": part for j, part in enumerate(own)}
        for i, own in enumerate(sample["arguments"])
    }
    return {**sample, "arguments": arguments, "target": str(sample["target"])}


@contextlib.contextmanager
def _environment_once() -> Iterator[None]:
    """lm-eval looks over the whole machine after every task, for seconds: once is enough.

    It also asks git for the commit of whatever folder the user is in, which is not its own.
    """
    from lm_eval import evaluator

    names = ("add_env_info", "get_git_commit_hash")
    before = {name: getattr(evaluator, name) for name in names}
    evaluator.add_env_info = lambda storage: storage.update(_environment())
    evaluator.get_git_commit_hash = lambda: None
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(evaluator, name, function)


@functools.cache
def _environment() -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    names = ("torch", "transformers", "datasets")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return {
        "pretty_env_info": f"Python {platform.python_version()}, {platform.platform()}, {packages}",
        "transformers_version": version("transformers"),
        "lm_eval_version": version("lm_eval"),
        "upper_git_hash": None,
    }
