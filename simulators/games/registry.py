"""Games by name: the built-in families and a user's own file."""

from collections.abc import Mapping
from dataclasses import replace

from mnpo.errors import InvalidSetting, suggest
from simulators.games.families import (
    biased_rps,
    blotto,
    bradley_terry,
    clone,
    condorcet,
    contextual,
    cyclic,
    disc,
    knob,
    plackett_luce,
    random_skew,
    tie,
)
from simulators.games.files import SPEC as FILE
from simulators.games.game import Game
from simulators.games.spec import GameSpec
from simulators.games.validate import check_preferences

_SPECS: dict[str, GameSpec] = {
    spec.name: spec
    for spec in (
        cyclic.SPEC,
        biased_rps.SPEC,
        bradley_terry.SPEC,
        condorcet.SPEC,
        knob.SPEC,
        disc.SPEC,
        random_skew.SPEC,
        plackett_luce.SPEC,
        tie.SPEC,
        clone.SPEC,
        contextual.SPEC,
        blotto.SPEC,
        FILE,
    )
}


def list_games() -> tuple[GameSpec, ...]:
    """Every game family, the user's file last, in the order of the documentation."""
    return tuple(_SPECS.values())


def make_game(name: str, /, **parameters: object) -> Game:
    """Build a game by name.

    Args:
        name: a family of ``list_games()``; ``file:PATH`` for a user's own matrix (``load_game``).
        parameters: the family's parameters; texts, as a command line has them, are read in the
            parameter's type.

    Returns:
        The game; ``parameters`` holds every parameter of the family, resolved, so that
        ``make_game(name, **game.parameters)`` builds the same game again.

    Raises:
        InvalidSetting: an unknown game or parameter (the nearest name is suggested), or an
            impossible value.
        InvalidGame: a file that cannot be read as a game.
    """
    if name.startswith("file:"):
        if "path" in parameters:
            raise InvalidSetting(f"game '{name}': give the path once, in the name or as path=")
        name, parameters = "file", {**parameters, "path": name.removeprefix("file:")}
    spec = _SPECS.get(name)
    if spec is None:
        raise InvalidSetting(
            f"unknown game '{name}'{suggest(name, _SPECS)} ('mnpo-bench games list' describes "
            "them; file:PATH reads a matrix of your own)"
        )
    resolved = spec.resolve(parameters)
    games = {
        parameter.name: game_from_text(str(resolved[parameter.name]))
        for parameter in spec.parameters
        if parameter.kind == "game"
    }
    game = spec.build(**{**resolved, **games})
    if spec is FILE:
        return game  # the reader checks, and records what it detected
    checked = check_preferences(game.preferences, where=f"game '{name}'", actions=game.actions)
    return replace(game, preferences=checked, parameters=resolved)


def game_from_text(text: str) -> Game:
    """A game from ``NAME``, ``NAME:key=value;key=value`` or ``file:PATH;key=value``.

    Raises:
        InvalidSetting: as ``make_game``, or a piece without ``=``.
    """
    head, _, tail = text.partition(":")
    if head == "file":
        path, _, tail = tail.partition(";")
        head = f"file:{path}"
    return make_game(head, **_settings(tail, text))


def _settings(tail: str, text: str) -> Mapping[str, object]:
    pairs: dict[str, object] = {}
    for piece in filter(None, (piece.strip() for piece in tail.split(";"))):
        key, equals, value = piece.partition("=")
        if not equals:
            raise InvalidSetting(f"game '{text}': '{piece}' is not key=value")
        pairs[key.strip()] = value.strip()
    return pairs
