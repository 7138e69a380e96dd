"""An evaluation's settings from a file, the command line's changes, and shortcuts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.suite.models import check_names, read_models
from evaluation.suite.settings import EvaluationSettings
from mnpo.errors import InvalidSetting
from mnpo.runs.reading import assign, read_yaml_file
from mnpo.validation import check

#: The options that give a setting of the top level.
_OPTIONS = {
    name: "--" + name.replace("_", "-")
    for name in (
        *("benchmarks", "data_dir", "limit", "max_cost", "max_calls"),
        *("allow_missing", "allow_code"),
    )
}
_OF_JUDGE = {"url": "--judge-url", "model": "--judge-model", "api_key_env": "--judge-key-env"}


def load_settings(
    config: str | None,
    models: Sequence[str] = (),
    outputs: Sequence[str] = (),
    shortcuts: Mapping[str, Any] | None = None,
    assignments: Mapping[str, Any] | None = None,
) -> EvaluationSettings:
    """Checked settings.

    Args:
        config: a YAML file, or an earlier evaluation's folder or run.yaml; None for defaults.
        models: see `evaluation.suite.models.read_models`; they replace the file's.
        outputs: ``NAME=FILE`` texts: given answers to the one benchmark that is run.
        shortcuts: top-level settings from options; None values are left out.
        assignments: dotted keys and their values.

    Raises:
        UserError: a file that cannot be read, an unknown key with the nearest known one, an
            impossible value, no model, or outputs without exactly one benchmark.
    """
    values: dict[str, Any] = {}
    if config is not None:
        file = Path(config)
        file = file / "run.yaml" if file.is_dir() else file
        values = read_yaml_file(file, config)
        check(EvaluationSettings, {"models": [{"name": "x", "model": {}}]} | values, _in(config))
    values |= {key: value for key, value in (shortcuts or {}).items() if value is not None}
    if models:
        values["models"] = [own.model_dump(mode="json") for own in read_models(models)]
    for key, value in (assignments or {}).items():
        assign(values, key, value)
    if outputs:
        values["models"] = [*(values.get("models") or []), *_given(outputs, values)]
    if not values.get("models"):
        raise InvalidSetting(
            "give at least one model: a name (tiny, smollm2-135m), a folder, a training run's "
            "folder, or --outputs NAME=FILE"
        )
    settings = check(EvaluationSettings, values, _called(shortcuts or {}, assignments or {}))
    check_names(settings.models)
    return settings


def _given(outputs: Sequence[str], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    benchmarks: Sequence[str] = values.get("benchmarks") or ()
    if len(benchmarks) != 1:
        raise InvalidSetting(
            "--outputs gives answers to one benchmark; name that one with --benchmarks, or list "
            "the files under models[].outputs in a --config file"
        )
    models = []
    for text in outputs:
        name, separator, file = text.partition("=")
        if not (separator and name and file):
            raise InvalidSetting(f"--outputs takes NAME=FILE, got '{text}'")
        if not Path(file).is_file():
            raise InvalidSetting(f"--outputs {text}: there is no file {file}")
        models.append({"name": name, "outputs": {benchmarks[0]: file}})
    return models


def _called(shortcuts: Mapping[str, Any], assignments: Mapping[str, Any]) -> Callable[[str], str]:
    """How a message calls a setting: by the option it came from."""
    by_set = {key.partition(".")[0] for key in assignments}

    def called(path: str) -> str:
        top, _, below = path.partition(".")
        if shortcuts.get(top) is None or top in by_set:
            return f"--set: {path}"
        if top == "judges":  # what --judge gives was checked as it was read
            return _OF_JUDGE.get(below, f"--judge: {below}" if below else "--judge")
        return _OPTIONS.get(top, f"--set: {path}")

    return called


def _in(config: str) -> Any:
    return f"{config}: {{}}".format
