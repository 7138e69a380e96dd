"""A recipe's ``evaluation`` section as the settings of an evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.suite.settings import EvaluationSettings
from mnpo.errors import InvalidSetting
from mnpo.training.methods import Method
from mnpo.training.models.settings import ModelSettings
from mnpo.training.recipe import Recipe
from mnpo.training.runs.calibration import asks_a_judge
from mnpo.training.runs.export import policy_name
from mnpo.training.runs.run import START
from mnpo.validation import check

#: Among the judges of a recipe's ``evaluation``: the oracle that its policies were trained on.
ORACLE = "oracle"
#: What a recipe without the section gets, if asking its oracle costs nothing.
DEFAULT: Mapping[str, Any] = {"benchmarks": ["mini", "cross-play"], "judges": [ORACLE]}


def evaluation_settings(recipe: Recipe, models: Sequence[Mapping[str, Any]]) -> EvaluationSettings:
    """How a recipe's policies are evaluated.

    Args:
        recipe: with its ``evaluation`` section, or None there for `DEFAULT`.
        models: those that are evaluated, as an evaluation's settings name them.

    Raises:
        InvalidSetting: an unknown key, with the nearest known one; an impossible value; models,
            which are the trained ones; or the recipe's oracle as a judge where it is an endpoint
            itself.
    """
    section = _default(recipe) if recipe.evaluation is None else dict(recipe.evaluation)
    if "models" in section:
        raise InvalidSetting(
            "evaluation.models: the models of a recipe's evaluation are the policies that it "
            "trains; leave the key out, or take `mnpo-bench evaluate` for others"
        )
    judges = section.get("judges")
    if isinstance(judges, str):
        judges = [judges]
    if isinstance(judges, list | tuple):
        section["judges"] = [_own_oracle(recipe) if j == ORACLE else j for j in judges]
    values = {"models": [dict(own) for own in models], **section}
    return check(EvaluationSettings, values, "evaluation: {}".format)


def start_model(recipe: Recipe) -> dict[str, Any]:
    """The model that all methods start from, which an evaluation lists as well."""
    return {"name": START, "model": _plain(recipe.model)}


def trained_models(folder: Path, policies: Sequence[str]) -> list[dict[str, Any]]:
    """Exported policies of a run directory, by name."""
    return [
        {"name": name, "model": {"name": str(folder / "policies" / name)}}
        for name in sorted(policies)
    ]


def future_models(recipe: Recipe, methods: Mapping[str, Method]) -> list[dict[str, Any]]:
    """Stand-ins for the policies that a run is going to train: the start under their names."""
    names = []
    for name, method in methods.items():
        players = method.players(len(recipe.annotators))
        for seed in recipe.seeds:
            for player in range(players):
                names.append(policy_name(name, seed, player if players > 1 else None))
    return [{"name": name, "model": _plain(recipe.model)} for name in sorted(names)]


def _plain(model: ModelSettings) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude={"lora"})


def _default(recipe: Recipe) -> dict[str, Any]:
    return {"benchmarks": ["mini"]} if asks_a_judge(recipe.oracle) else dict(DEFAULT)


def _own_oracle(recipe: Recipe) -> dict[str, Any]:
    if asks_a_judge(recipe.oracle):
        raise InvalidSetting(
            "evaluation.judges: the recipe's oracle asks an endpoint; name that as a judge of "
            "kind endpoint, so that its answers are kept and its cost is counted"
        )
    oracle = recipe.oracle.model_dump(mode="json")
    # Without a name of its own it is called what the training's cross-play calls it.
    return {"kind": "oracle", "oracle": oracle}
