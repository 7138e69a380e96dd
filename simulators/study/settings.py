"""Which settings go where: games, algorithms, modes; and which sweep axes an algorithm reads."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS, translate
from mnpo.algorithms.registry import find_entry
from mnpo.errors import InvalidSetting, suggest
from simulators.dynamics.modes import Mode
from simulators.dynamics.setup import Extras
from simulators.games import list_games
from simulators.study.config import StudyConfig

MODE_SETTINGS = frozenset(field.name for field in fields(Mode)) - {"name"}
EXTRAS = frozenset(field.name for field in fields(Extras))
#: Read by every run, by those algorithms too that do not step by them: never a --set.
WHOLE_RUN = frozenset({"step_size", "temperature"})
#: Keys of the configuration without an option of their own.
FILE_ONLY = frozenset({"keep_policies", "parameters", "game_parameters", "algorithm_parameters"})


def algorithm_settings(name: str) -> frozenset[str]:
    """Names an algorithm reads, in either vocabulary, besides the mode's and the extras.

    ``step_size`` and ``temperature`` count only where the method reads them.
    """
    entry = find_entry(name)
    own = {field.name for field in fields(entry.kind)} | set(PAPER_PARAMETERS.get(entry.name, ()))
    return frozenset(own - ({"step_size", "temperature"} - entry.kind.reads))


def game_settings(game: str) -> frozenset[str]:
    """Names of a game family's parameters."""
    family = "file" if game.startswith("file:") else game
    for spec in list_games():
        if spec.name == family:
            return frozenset(parameter.name for parameter in spec.parameters)
    return frozenset()


def sort_assignments(
    assignments: Mapping[str, Any], game: str, algorithms: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    """Sort ``--set key=value`` into the game's, everybody's, and single algorithms' parameters.

    ``game.KEY`` is the game's and ``ALGORITHM.KEY`` one algorithm's. A plain key goes to the
    algorithms and the mode if any of them reads it, else to the game.

    Raises:
        InvalidSetting: nobody knows the key; the nearest known one is suggested.
    """
    shared = MODE_SETTINGS | EXTRAS
    known_algorithms = shared.union(*(algorithm_settings(name) for name in algorithms))
    known_game = game_settings(game)
    game_parameters: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    single: dict[str, dict[str, Any]] = {}
    for key, value in assignments.items():
        owner, _, rest = key.rpartition(".")
        if key in WHOLE_RUN:
            raise InvalidSetting(_unknown("set", key, ()))
        if owner == "game":
            game_parameters[rest] = value
        elif owner:
            if owner not in algorithms:
                raise InvalidSetting(
                    f"'{key}': '{owner}' is not among the algorithms of this run"
                    f"{suggest(owner, algorithms)}"
                )
            single.setdefault(owner, {})[rest] = value
        elif key in known_algorithms:
            parameters[key] = value
        elif key in known_game:
            game_parameters[key] = value
        else:
            known = known_algorithms - WHOLE_RUN | known_game
            raise InvalidSetting(_unknown("set", key, known))
    return game_parameters, parameters, single


def _unknown(what: str, key: str, known: Iterable[str]) -> str:
    """Why a key cannot be set or swept: it is the whole run's, or nobody's."""
    if key in StudyConfig.model_fields:
        option = f"--{key.replace('_', '-')}"
        where = "in a --config file" if key in FILE_ONLY else f"with {option}"
        return f"cannot {what} '{key}': it belongs to the whole run, give it {where}"
    return f"cannot {what} unknown setting '{key}'{suggest(key, known)}"


def axes_of(algorithm: str, game: str, axes: Mapping[str, Any]) -> dict[str, Any]:
    """The sweep axes that make a difference to an algorithm on a game.

    The temperature always does: it is also that of the regularised game a run is judged in.

    Raises:
        InvalidSetting: an axis that nobody knows.
    """
    shared = MODE_SETTINGS | EXTRAS | {"temperature"}
    relevant = {}
    for axis, values in axes.items():
        owner = axis.rpartition(".")[0]
        readable = not owner and axis in shared | algorithm_settings(algorithm)
        if owner in ("game", algorithm) or readable:
            relevant[axis] = values
        elif not owner and axis in game_settings(game):
            relevant[f"game.{axis}"] = values
    return relevant


def check_axes(
    axes: Mapping[str, Any], game: str, algorithms: tuple[str, ...], fixed: Mapping[str, Any]
) -> None:
    """Refuse axes that nobody reads, and axes that are also set to one value.

    Raises:
        InvalidSetting: one line naming the axis.
    """
    readable = (MODE_SETTINGS | EXTRAS | {"temperature"} | game_settings(game)).union(
        *(algorithm_settings(name) for name in algorithms)
    )
    for axis, values in axes.items():
        if not len(values):
            raise InvalidSetting(f"sweep over '{axis}' has no values")
        owner, _, key = axis.rpartition(".")
        known = game_settings(game) if owner == "game" else readable
        if owner not in ("", "game", *algorithms):
            raise InvalidSetting(
                f"sweep '{axis}': '{owner}' is not among the algorithms of this run"
                f"{suggest(owner, algorithms)}"
            )
        if key == "step_size" and key not in known:
            raise InvalidSetting("cannot sweep 'step_size': no algorithm of this run reads it")
        if key not in known:
            raise InvalidSetting(_unknown("sweep", axis, known))
        if axis in fixed or (not owner and axis in game_settings(game) and f"game.{axis}" in axes):
            raise InvalidSetting(f"'{axis}' is both swept and set; give it once")


def translated(algorithm: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in the common convention.

    Raises:
        InvalidSetting: a parameter named twice, or a step or temperature that is no number.
    """
    name = find_entry(algorithm).name
    for key, translation in PAPER_PARAMETERS.get(name, {}).items():
        if translation.field in WHOLE_RUN and key in parameters:
            value = parameters[key]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidSetting(f"{algorithm}: {key} must be a number, got {value!r}")
    return translate(name, parameters)
