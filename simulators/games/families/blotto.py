"""Colonel Blotto: soldiers spread over fields; who wins more fields wins."""

from math import comb

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Array, Game
from simulators.games.matrices import from_advantage
from simulators.games.spec import MAX_ACTIONS, GameSpec, Parameter


def build(soldiers: int, fields: int, payoff: str, allocations: str) -> Game:
    """``P = 1/2 + payoff/2``; an action is an allocation of all soldiers to the fields.

    A field goes to the side with more soldiers on it. ``payoff="margin"``: fields won minus
    fields lost, divided by the largest margin in the game; ``"majority"``: the sign of that
    difference. ``allocations="ordered"``: fields are distinguishable, the C(S+F-1, F-1)
    allocations in lexicographic order. ``"unordered"``: an action is a partition, each side lays
    its parts on the fields in a uniformly random order, and the payoff is the mean.
    """
    ordered = comb(soldiers + fields - 1, fields - 1)
    if ordered > MAX_ACTIONS:
        raise InvalidSetting(
            f"game 'blotto': {soldiers} soldiers on {fields} fields make {ordered} allocations; "
            f"at most {MAX_ACTIONS} are allowed, so take fewer of either"
        )
    plans = _allocations(soldiers, fields)
    net = np.zeros((ordered, ordered))
    for field in range(fields):
        here = plans[:, field]
        net += np.sign(here[:, None] - here[None, :])
    gains = np.sign(net) if payoff == "majority" else net / max(1.0, float(net.max()))
    if allocations == "unordered":
        plans, gains = _unordered(plans, gains)
        if len(plans) < 2:
            raise InvalidSetting(
                f"game 'blotto': {soldiers} soldiers have one unordered allocation; take 2 or more"
            )
    names = tuple("-".join(str(n) for n in plan) for plan in plans)
    return Game("blotto", from_advantage(gains / 2), names)


def _allocations(soldiers: int, fields: int) -> np.ndarray:
    """All ways to put the soldiers on the fields, lexicographic: (C(S+F-1, F-1), F) ints."""
    plans = np.zeros((1, 0), dtype=np.int64)
    for _ in range(fields - 1):
        left = soldiers - plans.sum(axis=1)
        plans = np.vstack(
            [np.append(p, n) for p, r in zip(plans, left, strict=True) for n in range(r + 1)]
        )
    return np.column_stack([plans, soldiers - plans.sum(axis=1)])


def _unordered(plans: np.ndarray, gains: Array) -> tuple[np.ndarray, Array]:
    """Average over the orders of each partition: (N, F), (N, N) -> (n, F), (n, n)."""
    kinds, which = np.unique(-np.sort(-plans, axis=1), axis=0, return_inverse=True)
    member = np.zeros((len(kinds), len(plans)))
    member[which.reshape(-1), np.arange(len(plans))] = 1.0
    member /= member.sum(axis=1, keepdims=True)
    averaged = member @ gains @ member.T
    return kinds, (averaged - averaged.T) / 2


SPEC = GameSpec(
    name="blotto",
    summary="Colonel Blotto: soldiers spread over fields, more fields win",
    source="Borel (1921)",
    parameters=(
        Parameter("soldiers", "int", 5, "soldiers on each side", 1, MAX_ACTIONS),
        Parameter("fields", "int", 3, "fields to win", 2, 100),
        Parameter(
            "payoff",
            "choice",
            "margin",
            "fields won minus lost, or only who won more",
            choices=("margin", "majority"),
        ),
        Parameter(
            "allocations",
            "choice",
            "ordered",
            "do the fields differ, or are they matched at random",
            choices=("ordered", "unordered"),
        ),
    ),
    build=build,
)
