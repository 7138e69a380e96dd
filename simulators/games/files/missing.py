"""Pairs nobody compared: refuse, fill, or keep the actions that met all others."""

from dataclasses import replace

import numpy as np

from mnpo.errors import InvalidGame
from simulators.games.files.raw import RawMatrix
from simulators.games.game import Array
from simulators.games.matrices import bradley_terry


def missing_pairs(P: Array) -> list[tuple[int, int]]:
    """The pairs (i, j), i < j, without a preference; (K, K) with NaN."""
    rows, columns = np.nonzero(np.triu(np.isnan(P), k=1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def settle_one_sided(raw: RawMatrix, counted: bool, how: str | None, drop: bool) -> RawMatrix:
    """Pairs of which one side is missing: left to their other side where that is clearly meant.

    It is where a whole triangle of three actions or more has no number, where a file that need not
    write every cell leaves it out, and where ``fill_missing`` is given. Otherwise somebody wrote
    down that this side is not known: both sides count as missing under ``drop_missing``, and
    without it the pair is refused. Counts are always refused: the wins of one side say nothing
    about those of the other.

    Raises:
        InvalidGame: naming the cell.
    """
    blank = np.isnan(raw.values)
    given = ~np.swapaxes(blank, -1, -2)
    one_sided = blank & given
    if raw.unwritten is not None:
        one_sided &= ~raw.unwritten
    if not one_sided.any() or (how is not None and not counted):
        return raw
    if drop and not counted:
        return replace(raw, values=np.where(np.swapaxes(one_sided, -1, -2), np.nan, raw.values))
    lower = np.tri(len(raw.actions), k=-1, dtype=bool)
    triangular = len(raw.actions) > 2 and any(blank[..., half].all() for half in (lower, lower.T))
    if triangular and not counted:
        return raw
    cell = tuple(int(n) for n in np.argwhere(one_sided)[0])
    i, j = cell[-2:]
    context = f" in context {cell[0]}" if len(cell) == 3 else ""
    more = int(one_sided.sum()) - 1
    remedy = (
        "write 0 if it never won"
        if counted
        else "fill_missing=mirror completes a pair from its other side"
    )
    raise InvalidGame(
        f"{raw.name}: {raw.pair(i, j)} is missing and {raw.pair(j, i)} is given{context}"
        f"{f' (and {more} more)' if more else ''}; {remedy}"
    )


def refuse(raw: RawMatrix, P: Array, what: str = "") -> None:
    """Raise InvalidGame when pairs are missing: how many, which, and the options that help."""
    pairs = missing_pairs(P)
    if not pairs:
        return
    size = len(P)
    first = ", ".join(raw.pair(i, j) for i, j in pairs[:3])
    raise InvalidGame(
        f"{raw.name}{what}: {len(pairs)} of {size * (size - 1) // 2} pairs have no preference: "
        f"{first}{', ...' if len(pairs) > 3 else ''}; fill them with fill_missing=bradley-terry "
        "or fill_missing=half, or keep a fully compared block with drop_missing=true"
    )


def complete_block(P: Array, comparisons: Array | None) -> list[int]:
    """Actions of a large block in which every pair was compared, in their order.

    Greedy: drop the action with the most missing pairs, among equals the one with the fewest
    comparisons, then the last, until none is missing; then take back, in order, every dropped
    action that was compared with the whole block. Finding the largest block is NP-hard (maximum
    clique); this one cannot be enlarged by one action.
    """
    missing = np.isnan(P)
    np.fill_diagonal(missing, False)
    weight = np.zeros(len(P)) if comparisons is None else comparisons.sum(axis=1)
    kept = np.ones(len(P), dtype=bool)
    absent = missing.sum(axis=1)
    while (absent[kept] > 0).any():
        worst = max(np.flatnonzero(kept), key=lambda i: (absent[i], -weight[i], i))
        kept[worst] = False
        absent = absent - missing[worst]
    for i in np.flatnonzero(~kept):
        if not missing[i, kept].any():
            kept[i] = True
    return [int(i) for i in np.flatnonzero(kept)]


def fill_half(P: Array) -> Array:
    """Every missing pair a tie."""
    return np.where(np.isnan(P), 0.5, P)


def fill_bradley_terry(raw: RawMatrix, P: Array, comparisons: Array | None) -> Array:
    """Missing pairs from the Bradley-Terry fit to the pairs that were compared.

    Each compared pair weighs its number of comparisons, or one when the counts are unknown.

    Raises:
        InvalidGame: the strengths are not determined (two groups that never met, or a group that
            never lost to the rest), or the fit does not converge.
    """
    seen = ~np.isnan(P)
    np.fill_diagonal(seen, False)
    _refuse_undetermined(raw, P, seen)
    weight = seen.astype(float) if comparisons is None else np.where(seen, comparisons, 0.0)
    if not (weight[seen] > 0).all():
        i, j = (int(n) for n in np.argwhere(seen & (weight <= 0))[0])
        raise InvalidGame(
            f"{raw.name}: {raw.pair(i, j)} has a preference but no comparisons in the counts, "
            "so it cannot be weighed; min_count=1 leaves such pairs out"
        )
    strengths = _strengths(np.where(seen, P, 0.5), weight)
    if strengths is None:
        raise InvalidGame(
            f"{raw.name}: fill_missing=bradley-terry did not converge, because some preferences "
            "are all but certain; use fill_missing=half or drop_missing=true"
        )
    return np.where(np.isnan(P), bradley_terry(strengths), P)


def _strengths(P: Array, weight: Array) -> Array | None:
    """Maximum-likelihood utilities of Bradley-Terry, mean zero, (K,); None without convergence.

    Newton with backtracking. Strengths some 60 nats apart leave no curvature to follow.
    """
    weight = weight / weight.max()
    r = np.zeros(len(P))

    def loss(r: Array) -> float:
        return float((weight * P * np.logaddexp(0.0, r[None, :] - r[:, None])).sum())

    current = loss(r)
    gradient = np.ones(len(P))
    for _ in range(200):
        fitted = bradley_terry(r)
        gradient = (weight * (P - fitted)).sum(axis=1)
        curve = weight * fitted * (1 - fitted)
        hessian = np.diag(curve.sum(axis=1)) - curve + 1.0 / len(P)
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        size = 1.0
        while loss(r + size * step) > current + 1e-15 * abs(current) and size > 1e-10:
            size /= 2
        r = r + size * step
        r -= r.mean()
        current = loss(r)
        if np.abs(size * step).max() < 1e-12:
            break
    return r if np.abs(gradient).max() < 1e-9 else None


def _refuse_undetermined(raw: RawMatrix, P: Array, seen: np.ndarray) -> None:
    together = _reachable(seen)
    if not together.all():
        alone = [raw.actions[i] for i in np.flatnonzero(~together[0])]
        raise InvalidGame(
            f"{raw.name}: fill_missing=bradley-terry cannot compare {_some(alone)} with "
            f"'{raw.actions[0]}': no chain of compared pairs joins them; use fill_missing=half or "
            "drop_missing=true"
        )
    beats = seen & (np.where(seen, P, 0.0) > 0)
    for chain, what in ((_reachable(beats.T), "lost to"), (_reachable(beats), "beat")):
        # Whoever cannot reach everybody along losses belongs to a group that never lost outside.
        short = np.flatnonzero(~chain.all(axis=1))
        if len(short):
            group = chain[short[np.argmin(chain[short].sum(axis=1))]]
            names = [raw.actions[i] for i in np.flatnonzero(group)]
            raise InvalidGame(
                f"{raw.name}: fill_missing=bradley-terry has no finite strengths, because "
                f"{_some(names)} never {what} any of the others; use fill_missing=half or "
                "drop_missing=true"
            )


def _reachable(edges: np.ndarray) -> np.ndarray:
    """Reflexive transitive closure of a (K, K) relation, by squaring."""
    reach = edges | np.eye(len(edges), dtype=bool)
    while True:
        further = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
        if (further == reach).all():
            return reach
        reach = further


def _some(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names[:3]]
    return ", ".join(quoted) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
