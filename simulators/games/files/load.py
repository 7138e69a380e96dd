"""``load_game``: a user's own matrix as a game."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnpo.errors import InvalidGame, InvalidSetting
from simulators.games.files import missing
from simulators.games.files.kinds import detect, to_preferences
from simulators.games.files.raw import KINDS, RawMatrix
from simulators.games.files.read import read_matrix, stem
from simulators.games.game import Array, Game
from simulators.games.spec import GameSpec, Parameter
from simulators.games.validate import check_preferences

_FILLS = ("bradley-terry", "half", "mirror")


def load_game(
    path: str | Path,
    *,
    kind: str = "auto",
    scale: float | None = None,
    antisymmetrize: bool = False,
    fill_missing: str | None = None,
    drop_missing: bool = False,
    counts: str | Path | None = None,
    min_count: float = 0.0,
    mode: str | None = None,
    context: int | None = None,
) -> Game:
    """Read a preference game from a file; rows beat columns.

    Layouts: CSV (square with or without labels, or a long table of pairs with columns ``X_1, X_2,
    X_1_wins, X_2_wins, ties, mode``), JSON (see ``json_games.parse_json``), NPY; CSV and JSON may
    be gzipped.

    Args:
        path: the file.
        kind: ``win-fraction``: probabilities that the row wins; ``payoff``: zero-sum payoffs to the
            row, ``P = 1/2 + payoff / (2 scale)``; ``counts``: wins of the row, a tie half a win
            for each side, ``P = wins / comparisons``; ``multipliers``: what the row does to the
            column, ``P = 1/2 + (m[i, j] - m[j, i]) / (2 scale)``; ``auto``: by the header's corner
            word or JSON key, else by the numbers where they leave no doubt.
        scale: what a sure win is worth. Default: 1 for win fractions (100 reads percentages); 1
            for payoffs that stay within [-1, 1], needed for others; the largest multiplier.
        antisymmetrize: average the two sides of every pair instead of refusing a contradiction.
        fill_missing: ``half`` (ties) or ``bradley-terry`` (fitted to the compared pairs); both, and
            ``mirror``, which fills nothing else, first complete pairs from the side that is given.
            Without it a missing side is refused, unless a whole triangle is left out.
        drop_missing: keep a block of actions that were all compared with each other.
        counts: a matrix file with the comparisons behind each cell, for win fractions; looked up
            beside the game file when it is not found as given.
        min_count: pairs compared less often count as missing; needs counts.
        mode: the rows of a long table of pairs to use.
        context: one matrix of a (C, K, K) file; all of them, as a contextual game, without it.

    Returns:
        The game, named ``file:STEM``; ``parameters`` records every option, resolved.

    Raises:
        InvalidGame: anything wrong with the file, naming line, cell or pair and the remedy.
        InvalidSetting: options that contradict each other.
    """
    options: dict[str, object] = {
        "kind": kind,
        "scale": scale,
        "antisymmetrize": antisymmetrize,
        "fill_missing": fill_missing,
        "drop_missing": drop_missing,
        "counts": None if counts is None else str(counts),
        "min_count": min_count,
        "mode": mode,
        "context": context,
    }
    return _build(**SPEC.resolve({**options, "path": str(path)}))  # type: ignore[arg-type]


def _build(
    path: str,
    kind: str,
    scale: float | None,
    antisymmetrize: bool,
    fill_missing: str | None,
    drop_missing: bool,
    counts: str | None,
    min_count: float,
    mode: str | None,
    context: int | None,
) -> Game:
    if not path:
        raise InvalidSetting("game 'file': no file given; write file:PATH")
    file = Path(os.path.expanduser(path))
    if fill_missing is not None and drop_missing:
        raise InvalidSetting(
            f"{file.name}: fill_missing={fill_missing} and drop_missing=true exclude each other"
        )
    raw = _one_context(read_matrix(file, mode), context)
    meaning = detect(raw, kind, scale)
    raw = missing.settle_one_sided(raw, meaning.kind == "counts", fill_missing, drop_missing)
    P, comparisons = to_preferences(raw, meaning, antisymmetrize)
    comparisons = _comparisons(raw, file, counts, comparisons)
    if min_count > 0:
        if comparisons is None:
            raise InvalidGame(
                f"{raw.name}: min_count={min_count:g} needs the comparisons of each pair; give "
                "counts=FILE"
            )
        rare = (comparisons < min_count) & ~np.eye(P.shape[-1], dtype=bool)
        P = np.where(rare, np.nan, P)
    actions = raw.actions
    if drop_missing:
        if P.ndim == 3:
            raise InvalidGame(f"{raw.name}: drop_missing needs one matrix; choose it with context=")
        block = missing.complete_block(P, comparisons)
        if len(block) < 2:
            raise InvalidGame(f"{raw.name}: no two actions were compared; nothing is left")
        actions = tuple(actions[i] for i in block)
        P = P[np.ix_(block, block)]
        comparisons = None if comparisons is None else comparisons[np.ix_(block, block)]
    P, comparisons = _fill(raw, P, comparisons, fill_missing)
    return Game(
        f"file:{stem(file)}",
        check_preferences(P, where=raw.name, actions=actions),
        actions,
        parameters={
            "path": path,
            "kind": meaning.kind,
            "scale": None if meaning.kind == "counts" else meaning.scale,
            "antisymmetrize": antisymmetrize,
            "fill_missing": fill_missing,
            "drop_missing": drop_missing,
            "counts": counts,
            "min_count": min_count,
            "mode": mode,
            "context": context,
        },
        counts=comparisons if P.ndim == 2 else None,
        features=raw.features,
    )


def _one_context(raw: RawMatrix, context: int | None) -> RawMatrix:
    if context is None:
        return raw
    if raw.values.ndim == 2:
        raise InvalidGame(f"{raw.name}: context={context} given, but the file has one matrix")
    if context >= len(raw.values):
        raise InvalidGame(
            f"{raw.name}: context={context} is not there; the file has contexts 0 to "
            f"{len(raw.values) - 1}"
        )
    comparisons = None if raw.comparisons is None else raw.comparisons[context]
    return replace(raw, values=raw.values[context], comparisons=comparisons, features=None)


def _comparisons(
    raw: RawMatrix, file: Path, counts: str | None, from_wins: Array | None
) -> Array | None:
    """Comparisons behind each cell: from the wins, the JSON file, or the file given as counts."""
    if counts is None:
        known = from_wins if from_wins is not None else raw.comparisons
        return known if known is None or known is from_wins else _counted(raw, raw.name, known)
    if from_wins is not None or raw.comparisons is not None or raw.values.ndim == 3:
        why = "is for one matrix only" if raw.values.ndim == 3 else "are in the file already"
        raise InvalidGame(f"{raw.name}: counts={counts} given, but counts {why}; leave it out")
    beside, given = file.parent / counts, Path(os.path.expanduser(counts))
    side = read_matrix(beside if os.path.exists(beside) and not os.path.exists(given) else given)
    if side.values.ndim != 2:
        raise InvalidGame(f"{side.name}: counts must be one matrix")
    absent = [action for action in raw.actions if action not in side.actions]
    if absent:
        raise InvalidGame(
            f"{side.name}: '{absent[0]}' of {raw.name} is not in the counts"
            f"{f' (and {len(absent) - 1} more)' if len(absent) > 1 else ''}"
        )
    order = [side.actions.index(action) for action in raw.actions]
    return _counted(raw, side.name, side.values[np.ix_(order, order)])


def _counted(raw: RawMatrix, name: str, known: Array) -> Array:
    counted = np.nan_to_num(known, nan=0.0)
    for bad, what in (
        (counted < 0, "negative"),
        (counted != np.swapaxes(counted, -1, -2), "not the same on both sides"),
    ):
        if bad.any():
            cell = tuple(int(n) for n in np.argwhere(bad)[0])
            raise InvalidGame(
                f"{name}: the comparisons of {raw.pair(*cell[-2:])} are {what} "
                f"({counted[cell]:g}); counts are numbers of comparisons of each pair"
            )
    return counted


def _fill(
    raw: RawMatrix, P: Array, comparisons: Array | None, how: str | None
) -> tuple[Array, Array | None]:
    filled, stacked = P.copy(), P[None] if P.ndim == 2 else P
    for c, matrix in enumerate(stacked):
        if not np.isnan(matrix).any():
            continue
        behind = None if comparisons is None else comparisons[c] if P.ndim == 3 else comparisons
        if how in (None, "mirror"):
            missing.refuse(raw, matrix, f", context {c}" if P.ndim == 3 else "")
        elif how == "half":
            matrix = missing.fill_half(matrix)
        else:
            matrix = missing.fill_bradley_terry(raw, matrix, behind)
        filled[... if P.ndim == 2 else c] = matrix
    # What was filled in was not compared.
    return filled, None if comparisons is None else np.where(np.isnan(P), 0.0, comparisons)


SPEC = GameSpec(
    name="file",
    summary="a matrix of your own, file:PATH (CSV, JSON, NPY): win fractions, payoffs or counts",
    source="your own",
    parameters=(
        Parameter("path", "text", "", "the file; rows beat columns"),
        Parameter("kind", "choice", "auto", "what the numbers are", choices=("auto", *KINDS)),
        Parameter("scale", "float", None, "what a sure win is worth", 1e-300, 1e300),
        Parameter("antisymmetrize", "bool", False, "average the two sides of every pair"),
        Parameter("fill_missing", "choice", None, "fill missing pairs", choices=_FILLS),
        Parameter("drop_missing", "bool", False, "keep a fully compared block of actions"),
        Parameter("counts", "text", None, "file with the comparisons behind each cell"),
        Parameter("min_count", "float", 0.0, "pairs compared less often are missing", low=0.0),
        Parameter("mode", "text", None, "rows of a long table of pairs to use"),
        Parameter("context", "int", None, "one matrix of a file with several", low=0),
    ),
    build=_build,
)
