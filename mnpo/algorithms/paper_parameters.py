"""Each paper's own parameters, translated to the common convention in this one place.

The common convention: ``step_size`` alpha is the step on the log-odds per unit of win
probability, ``temperature`` tau the KL temperature, w = alpha tau the weight on log ref. Papers
write eta for the step or for its inverse, beta or tau or alpha for the temperature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mnpo.errors import InvalidSetting


@dataclass(frozen=True)
class Translation:
    """One paper parameter: the field it sets, how, and how the papers use it."""

    field: str
    convert: Callable[[Any], Any]
    meaning: str


def _same(value: Any) -> Any:
    return value


def _inverse(value: Any) -> Any:
    if isinstance(value, int | float) and value == 0:
        raise InvalidSetting("eta is an inverse step here and must not be 0")
    if isinstance(value, str | bool | list | tuple) or value is None:
        raise InvalidSetting(f"eta must be a number, got {value!r}")
    if isinstance(value, int | float) and value < 0:
        raise InvalidSetting(f"eta must be above 0, got {value:g}")
    return 1 / value


_STEP = Translation("step_size", _same, "eta is the step: alpha = eta")
_INVERSE_STEP = Translation("step_size", _inverse, "eta is the inverse step: alpha = 1/eta")
_TAU = Translation("temperature", _same, "tau is the KL temperature")
_BETA = Translation("temperature", _same, "beta is the KL temperature")
_NUMBER = Translation("num_players", _same, "number of players")
_PLAYERS = {"n": _NUMBER, "players": _NUMBER}

PAPER_PARAMETERS: Mapping[str, Mapping[str, Translation]] = {
    "mnpo": {"eta": _STEP, "tau": _TAU, **_PLAYERS},
    "mnpo-eq10": {"eta": _STEP, **_PLAYERS},
    "mnpo-eq15": {"eta": _STEP, **_PLAYERS},
    "ht-mnpo": {"eta": _STEP, "tau": _TAU, **_PLAYERS},
    "eo-mnpo": {"eta": _STEP},
    "inpo": {"eta": _INVERSE_STEP, "tau": _TAU},
    "sppo": {"eta": _STEP},
    "sppo-practical": {"eta": _STEP},
    "dpo": {"beta": _BETA},
    "dpo-online": {"beta": _BETA},
    "dpo-iterative": {"beta": _BETA},
    "ipo": {"tau": _TAU},
    "ipo-online": {"tau": _TAU},
    "dno": {"eta": _INVERSE_STEP},
    "spin": {"lambda_": Translation("beta", _same, "lambda scales the log-ratio")},
    "nash-md": {"eta": _STEP, "tau": _TAU},
    "nash-ema": {"eta": _STEP, "tau": _TAU},
    "onpo": {"eta": _STEP},
    "egpo": {"eta": _STEP, "beta": _BETA},
    "mmd": {"eta": _STEP, "alpha": Translation("temperature", _same, "alpha is the pull")},
    "mpo": {"eta": _STEP, "alpha": Translation("temperature", _same, "alpha is the pull")},
    "comal": {"eta": _INVERSE_STEP, "tau": _TAU},
    "mwu": {"eta": _STEP},
}


def translate(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the paper's own names replaced by the common ones.

    Args:
        name: registry name of the algorithm.
        parameters: in either vocabulary.

    Raises:
        InvalidSetting: when both vocabularies set the same field, or an inverse step is 0.
    """
    own = PAPER_PARAMETERS.get(name, {})
    result: dict[str, Any] = {}
    for key, value in parameters.items():
        translation = own.get(key)
        field = translation.field if translation else key
        if field in result or (translation and field != key and field in parameters):
            raise InvalidSetting(
                f"{name}: '{key}' sets {field} ({translation.meaning if translation else ''}) "
                f"and {field} is given as well; give one of them"
            )
        try:
            result[field] = translation.convert(value) if translation else value
        except InvalidSetting as error:
            raise InvalidSetting(f"{name}: {error}") from None
    return result
