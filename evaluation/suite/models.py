"""Which models are meant: names, folders, whole training runs; and where each comes from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.suite.settings import ModelSpec
from evaluation.tidy import Origin
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.reading import read_yaml_file
from mnpo.training.models.settings import ModelSettings
from mnpo.training.runs.export import policy_name
from mnpo.training.runs.run import START
from mnpo.validation import check


def read_models(given: Sequence[str]) -> tuple[ModelSpec, ...]:
    """Models from the command line.

    Args:
        given: each a name of the catalogue, a folder, OWNER/NAME of a hub, a training run's folder
            (its start and all of its final policies), or NAME=one of these.

    Raises:
        UserError: a training run without policies, an empty name, or two models of one name.
    """
    found: list[ModelSpec] = []
    for text in given:
        name, separator, path = text.partition("=")
        if not separator:
            name, path = "", text
        if not path or (separator and not name):
            raise InvalidSetting(f"MODEL takes NAME=PATH or a path, got '{text}'")
        found += _models(name, path)
    check_names(found)
    return tuple(found)


def check_names(models: Sequence[ModelSpec]) -> None:
    """Refuse two models of one name.

    Raises:
        InvalidSetting: naming them.
    """
    places: dict[str, ModelSpec] = {}
    for own in models:
        if own.name in places:
            raise InvalidSetting(
                f"two models are called '{own.name}'; call one NAME=PATH, with another name"
            )
        places[own.name] = own


def origin_of(folder: Path, name: str, run: str) -> Origin:
    """Where a policy comes from: its training run, if it lies in one, or itself.

    Args:
        folder: the model's.
        name: it is listed under.
        run: the evaluation's name.
    """
    home = folder.resolve().parent.parent
    if folder.resolve().parent.name != "policies":
        return Origin(run, name)
    for method in _manifest(home).get("methods", []):
        players = len(method["policies"])
        for player in range(players):
            several = players > 1
            own = policy_name(method["method"], method["seed"], player if several else None)
            if own == folder.name:
                algorithm = method["method"] + (f"/player-{player + 1}" if several else "")
                return Origin(home.name, algorithm, None, method["seed"])
    return Origin(run, name)


def _models(name: str, path: str) -> list[ModelSpec]:
    folder = Path(path)
    if not (folder / "manifest.json").is_file():
        return [ModelSpec(name=name or _called(path), model=ModelSettings(name=path))]
    policies = sorted(p for p in (folder / "policies").glob("*") if p.is_dir())
    if not policies:
        raise UserError(
            f"{path} is a run without policies; finish its training, or give a model's folder"
        )
    prefix = f"{name}/" if name else ""
    return [
        ModelSpec(name=prefix + START, model=_start(folder)),
        *(
            ModelSpec(name=prefix + own.name, model=ModelSettings(name=str(own)))
            for own in policies
        ),
    ]


def _start(folder: Path) -> ModelSettings:
    """The model that a training run began with."""
    config = read_yaml_file(folder / "run.yaml", str(folder / "run.yaml"))
    model = config.get("model")
    if not isinstance(model, dict):
        raise UserError(f"{folder}/run.yaml is of no training run; give a model's folder")
    kept = {key: value for key, value in model.items() if key != "lora"}  # not trained yet
    return check(ModelSettings, kept, f"{folder}/run.yaml: model.{{}}".format)


def _called(path: str) -> str:
    return Path(path).name or path


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        loaded = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
