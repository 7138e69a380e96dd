"""Run the suite on models: `run_harness`."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mnpo
from evaluation.harness.planning import HarnessSettings, Planned, plan
from evaluation.harness.results import suite_scores
from evaluation.harness.store import Finished, FinishedStore
from evaluation.harness.suite import chosen
from evaluation.naming import folder_name
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest, write_atomically

#: Folder of the finished tasks below a run's.
STORE = "finished"


def run_harness(
    models: Mapping[str, str] | str,
    tasks: Iterable[str] = ("paper",),
    *,
    output: Path,
    settings: HarnessSettings | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Scores:
    """Run lm-eval's tasks on models, and give the figures with their intervals.

    A finished task is kept below ``output/finished`` under the hash of all it depends on, and is
    not run again. lm-eval's results and samples are written in its own format to
    ``output/MODEL``.

    Args:
        models: a model as `mnpo.training.models.resolve` takes it ("tiny", a folder, OWNER/NAME),
            or several by the name they are listed under.
        tasks: of the suite; "paper" is all of it.
        output: folder for what was found.
        settings: how.
        say: gets a line for every task that begins.

    Raises:
        UserError: a file, setting or model is wrong, or none of the tasks can be run.
    """
    from mnpo.training.models.resolve import resolve

    settings = settings or HarnessSettings()
    named = {_short_name(models): models} if isinstance(models, str) else dict(models)
    wanted = chosen(tasks)
    checkpoints = {name: resolve(model) for name, model in named.items()}
    found: dict[str, tuple[Sequence[Planned], Mapping[str, Finished]]] = {}
    from evaluation.harness.language_model import context_length

    store = FinishedStore(output / STORE)
    for name, checkpoint in checkpoints.items():
        context = context_length(checkpoint.path)
        planned = plan(wanted, settings, context=context)
        if all(own.not_run for own in planned):
            reasons = "; ".join(f"{own.task.name}: {own.not_run}" for own in planned)
            raise UserError(f"none of the lm-eval tasks can be run: {reasons}")
        runner = _Runner(checkpoint, settings, context, store)
        results: dict[str, Finished] = {}
        for own in planned:
            for unit in own.units:
                say(f"{name}: {unit.name}, {unit.shots}-shot")
                results[unit.name] = runner.result(own, unit)
        found[name] = (planned, results)
        _write_official(output / _folder(name), results)
    described = {**asdict(settings), "data_dir": settings.data_dir is not None}
    if settings.allow_code and any(task.runs_code for task in wanted):
        from evaluation.harness.sandbox import find_fence

        described["sandbox"] = find_fence().describe()
    return suite_scores(found, {"lm_eval": version("lm_eval"), **described})


class _Runner:
    """One model, loaded when the first task needs it."""

    def __init__(
        self, checkpoint: Any, settings: HarnessSettings, context: int, store: FinishedStore
    ) -> None:
        self._checkpoint = checkpoint
        self._settings = settings
        self._context = context
        self._store = store
        self._tokens = _token_hashes(checkpoint, settings)
        self._model: Any = None

    def result(self, own: Planned, unit: Any) -> Finished:
        key = self._key(own, unit)
        stored = self._store.get(unit.name, key)
        if stored is not None:
            return stored
        if own.task.runs_code:
            from evaluation.harness.sandbox import find_fence

            find_fence()  # before hours of generation, not after them
        if own.task.name == "ifeval":
            from evaluation.harness.ifeval import prepare_checks

            prepare_checks()
        from evaluation.harness.running import run_unit

        settings = self._settings
        return self._store.put(
            run_unit(self._loaded(), unit, key, limit=settings.limit, chat=settings.chat_template)
        )

    def _key(self, own: Planned, unit: Any) -> dict[str, Any]:
        settings = self._settings
        return {
            "model": self._checkpoint.sha256,
            "tokens": self._tokens,
            "context": self._context,
            "unit": unit.name,
            "shots": unit.shots,
            "hashes": dict(own.hashes),
            "limit": settings.limit,
            "precision": settings.precision,
            "device": settings.device.split(":")[0],
            "chat_template": settings.chat_template,
            "mnpo_bench": mnpo.__version__,
            "lm_eval": version("lm_eval"),
            "transformers": version("transformers"),
        }

    def _loaded(self) -> Any:
        if self._model is None:
            from evaluation.harness.language_model import open_language_model

            self._model = open_language_model(
                self._checkpoint,
                device=self._settings.device,
                precision=self._settings.precision,
                batch_size=self._settings.batch_size,
                max_length=self._context,
            )
        return self._model


def _token_hashes(checkpoint: Any, settings: HarnessSettings) -> dict[str, Any]:
    """Of tokenizer and, where it is used, chat template; base models need have none."""
    from mnpo.training.models.loading import load_tokenizer

    tokenizer: Any = load_tokenizer(checkpoint)
    if settings.chat_template and not tokenizer.chat_template:
        raise InvalidSetting(f"{checkpoint.path}: has no chat template; run without it")
    backend = getattr(tokenizer, "backend_tokenizer", None)
    definition = backend.to_str() if backend is not None else sorted(tokenizer.get_vocab().items())
    return {
        "tokenizer": digest([definition, tokenizer.special_tokens_map.__repr__()]),
        "template": digest(tokenizer.chat_template) if settings.chat_template else None,
    }


def _write_official(folder: Path, results: Mapping[str, Finished]) -> None:
    """results_*.json and samples_TASK_*.jsonl, as lm-eval's own tools read them."""
    from lm_eval.utils import hash_string

    folder.mkdir(parents=True, exist_ok=True)
    whole: dict[str, Any] = {}
    for own in results.values():
        for name, value in own.results.items():
            if isinstance(value, dict) and name != "config":
                whole.setdefault(name, {}).update(value)
            else:
                whole[name] = value
    whole["task_hashes"] = {
        name: hash_string(
            "".join(s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in own.samples)
        )
        for name, own in results.items()
    }
    mark = digest([dict(own.key) for own in results.values()])[:12]
    for name, own in results.items():
        lines = (json.dumps(sample, ensure_ascii=False) + "\n" for sample in own.samples)
        write_atomically(folder / f"samples_{name}_{mark}.jsonl", "".join(lines))
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / f"results_{mark}.json", text)


def _short_name(model: str) -> str:
    return Path(model).name or model


def _folder(name: str) -> str:
    """Of a model, in the run directory; one called like the store of finished tasks yields."""
    return folder_name(f"{name}/" if name == STORE else name)
