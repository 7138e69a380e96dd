"""What a board's types do not say: arrays that belong together, and options of the right kind."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from leaderboards.board import Array, Board, Curve, Pool
from leaderboards.options import BoardOptions
from leaderboards.render.encoding import decode_as
from mnpo.errors import UserError


def require_whole(board: Board, where: str) -> None:
    """Refuse a board whose parts do not fit together, or whose options no command can give.

    Args:
        board: as read.
        where: of it, for messages.

    Raises:
        UserError: the message says which part.
    """
    _require_options(board.options, f"{where}.options")
    for place, plot in enumerate(board.plots):
        for number, curve in enumerate(plot.curves):
            _require_curve(curve, f"{where}.plots[{place}].curves[{number}]")
    for place, pool in enumerate(board.pools):
        _require_pool(pool, f"{where}.pools[{place}]")
    for place, table in enumerate(board.tables):
        for number, row in enumerate(table.rows):
            if len(row) != len(table.header):
                raise UserError(
                    f"{where}.tables[{place}].rows[{number}]: expected {len(table.header)} cells, "
                    f"as the header has, got {len(row)}"
                )


def _require_options(options: Mapping[str, Any], where: str) -> None:
    """Those that this version knows; others are refused where they are used."""
    hints = get_type_hints(BoardOptions)
    for field in fields(BoardOptions):
        if field.name in options:
            decode_as(hints[field.name], options[field.name], f"{where}.{field.name}")


def _require_curve(curve: Curve, where: str) -> None:
    for name, own in (("y", curve.y), ("low", curve.low), ("high", curve.high)):
        if own is not None:
            _require_shape(own, curve.x.shape, f"{where}.{name}", "points, as x has")
    if curve.x.ndim != 1 or not curve.x.size:
        raise UserError(f"{where}.x: expected a list of one or more numbers")


def _require_pool(pool: Pool, where: str) -> None:
    count = len(pool.names)
    for name, array in (("wins", pool.wins), ("low", pool.low), ("high", pool.high)):
        _require_shape(array, (count, count), f"{where}.{name}", "win rates, for so many names")
    for place, rating in enumerate(pool.ratings):
        lengths = {"values": len(rating.values)}
        if rating.ranks:
            lengths["ranks"] = len(rating.ranks)
        if rating.letters:
            lengths["letters"] = len(rating.letters)
        for name, length in lengths.items():
            if length != count:
                raise UserError(
                    f"{where}.ratings[{place}].{name}: expected {count}, one for each name, got "
                    f"{length}"
                )


def _require_shape(found: Array, shape: tuple[int, ...], where: str, what: str) -> None:
    if found.shape != shape:
        expected, got = (" x ".join(map(str, own)) for own in (shape, found.shape))
        raise UserError(f"{where}: expected {expected} {what}, got {got}")
