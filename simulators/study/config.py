"""The configuration of a study, as the command line and ``run.yaml`` give it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mnpo.errors import InvalidSetting, suggest
from mnpo.validation import why

DEFAULT_ALGORITHMS = ("mnpo", "inpo", "sppo", "dpo", "nash-md", "egpo", "onpo", "mwu")


class StudyConfig(BaseModel):
    """What to simulate. Every field can be given in YAML; unknown keys are refused.

    Attributes:
        game: a registry name, or ``file:PATH``.
        game_parameters: the game's own parameters.
        algorithms: registry names.
        mode: exact, gradient, sampled or neural.
        iterations: T.
        step_size, temperature: alpha and tau, where an algorithm reads them.
        reference: "uniform", "skewed" (probabilities falling linearly over the actions), one
            probability an action, or "auto": uniform, or skewed where the uniform policy is an
            equilibrium already, so that there is something to see.
        initial: "reference", "random" (one draw a seed, uniform on the simplex), or
            probabilities.
        seeds, seed: number of seeds and the first one. A seed drives sampled preferences,
            networks, random starts, and the game of families that have a ``seed`` parameter.
        parameters: further parameters for every algorithm that knows them (and the mode's).
        algorithm_parameters: further parameters for one algorithm by name.
        sweep: axis name -> values; axes are step_size, temperature, parameters, or
            ``game.NAME``.
        keep_policies: "auto" keeps all policies while they are small.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    game: str = "cyclic"
    game_parameters: dict[str, Any] = Field(default_factory=dict)
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    mode: Literal["exact", "gradient", "sampled", "neural"] = "exact"
    iterations: int = Field(default=500, ge=0)
    step_size: float = 0.5
    temperature: float = 0.1
    reference: Literal["auto", "uniform", "skewed"] | tuple[float, ...] = "auto"
    initial: Literal["reference", "random"] | tuple[float, ...] = "reference"
    seeds: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)
    parameters: dict[str, Any] = Field(default_factory=dict)
    algorithm_parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    sweep: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    keep_policies: Literal["auto"] | bool = "auto"

    @field_validator("algorithms")
    @classmethod
    def _some_algorithm(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("give at least one algorithm")
        if len(set(value)) < len(value):
            repeated = next(name for name in value if value.count(name) > 1)
            raise ValueError(f"algorithm '{repeated}' is named twice")
        return value


def parse_config(
    values: Mapping[str, Any], called: Callable[[str], str] = "the configuration: {}".format
) -> StudyConfig:
    """A checked configuration.

    Args:
        values: keys as in `StudyConfig`.
        called: how a message calls a key, e.g. ``study.yaml: seeds`` or ``--seeds``.

    Raises:
        InvalidSetting: one line naming the first key that is unknown or wrong.
    """
    for key in values:
        if key not in StudyConfig.model_fields:
            unknown = f"unknown key '{key}'"
            raise InvalidSetting(f"{called(unknown)}{suggest(str(key), StudyConfig.model_fields)}")
    try:
        return StudyConfig.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidSetting(_message(error, values, called)) from None


def _message(
    error: ValidationError, values: Mapping[str, Any], called: Callable[[str], str]
) -> str:
    """The first complaint of pydantic as one line."""
    first = error.errors()[0]
    key, *inner = first["loc"]
    if first["type"] == "value_error":
        return f"{called(str(key))}: {first['ctx']['error']}"
    if possible := _SEVERAL_TYPES.get(str(key)):
        return f"{called(str(key))} must be {possible}, got {values[str(key)]!r}"
    path = ".".join(str(part) for part in (key, *inner) if not isinstance(part, int))
    return f"{called(path)} {why(first)}, got {first['input']!r}"


#: Settings of more than one type, of which pydantic complains one type after the other.
_SEVERAL_TYPES = {
    "reference": "auto, uniform or skewed, or one probability for each action",
    "initial": "reference or random, or one probability for each action",
    "keep_policies": "auto, true or false",
}
