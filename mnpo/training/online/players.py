"""Policies through time: what the sources of an update mean on language-model checkpoints."""

import math
from collections.abc import Sequence
from typing import TypeVar

from mnpo.algorithms.sources import (
    Demonstrations,
    External,
    Geometric,
    History,
    Intermediate,
    Magnet,
    MovingAverage,
    OtherPlayers,
    PreviousIntermediate,
    Reference,
    Solution,
    Source,
)
from mnpo.algorithms.update import Update, Weighted
from mnpo.errors import InvalidSetting
from mnpo.training.generation.base import Mixture
from mnpo.training.models.policy import PolicyCheckpoint

#: A policy and its weight.
Share = tuple[PolicyCheckpoint, float]
_Item = TypeVar("_Item")


class Players:
    """Every player's checkpoints, from the start to the current iteration."""

    def __init__(
        self,
        start: PolicyCheckpoint,
        players: int,
        *,
        externals: Sequence[PolicyCheckpoint] = (),
        magnet_period: int | None = None,
    ) -> None:
        """All players begin at the reference."""
        self.reference = start
        self.history: list[list[PolicyCheckpoint]] = [[start] for _ in range(players)]
        self._externals = externals
        self._period = magnet_period
        self._magnets = [start] * players
        self._carried = [start] * players

    def current(self, player: int) -> PolicyCheckpoint:
        """The player's policy now."""
        return self.history[player][-1]

    def advance(
        self,
        following: Sequence[PolicyCheckpoint],
        carried: Sequence[PolicyCheckpoint | None],
    ) -> None:
        """Make ``following`` the current policies; remember what updates before the last gave."""
        for player, policy in enumerate(following):
            self.history[player].append(policy)
            kept = carried[player]
            if kept is not None:
                self._carried[player] = kept
        iteration = len(self.history[0]) - 1
        if self._period and iteration % self._period == 0:
            self._magnets = list(following)

    def anchors(
        self, update: Update, player: int, intermediate: PolicyCheckpoint | None
    ) -> tuple[Share, ...]:
        """The update's anchors as distinct policies with their weights, in a fixed order.

        A geometric mixture stands for its parts: its normalising constant is the same for all
        responses to a prompt and drops out of every margin.
        """
        shares = self._shares(update.anchors, player, intermediate)
        return _merged(shares)

    def opponents(
        self, update: Update, player: int, intermediate: PolicyCheckpoint | None
    ) -> tuple[tuple[Mixture, float], ...]:
        """Where responses are sampled: components and their probabilities.

        An update without opponents (a reward advantage) samples from the player's own policy, as
        do the losers of SPIN's pairs. A lone policy weighs exactly one, however many sources named
        it, so that methods which sample from it find the same stage.
        """
        weighted = update.opponents or ((History(0), 1.0),)
        components: list[tuple[Mixture, float]] = []
        for source, weight in weighted:
            if isinstance(source, Geometric):
                parts = _merged(self._shares(source.parts, player, intermediate))
                components.append((_exact(parts), float(weight)))
            else:
                components += [
                    (((policy, 1.0),), share)
                    for policy, share in self._policies(source, float(weight), player, intermediate)
                ]
        merged: dict[tuple[tuple[str, float], ...], tuple[Mixture, float]] = {}
        for mixture, weight in components:
            key = tuple((policy.sha256, share) for policy, share in mixture)
            merged[key] = (mixture, merged.get(key, (mixture, 0.0))[1] + weight)
        return _exact(tuple((m, weight) for m, weight in merged.values() if weight != 0))

    def _shares(
        self, weighted: tuple[Weighted, ...], player: int, intermediate: PolicyCheckpoint | None
    ) -> list[Share]:
        found: list[Share] = []
        for source, weight in weighted:
            if isinstance(source, Geometric):
                parts = self._shares(source.parts, player, intermediate)
                found += [(policy, float(weight) * share) for policy, share in parts]
            else:
                found += self._policies(source, float(weight), player, intermediate)
        return found

    def _policies(
        self, source: Source, weight: float, player: int, intermediate: PolicyCheckpoint | None
    ) -> list[Share]:
        own = self.history[player]
        match source:
            case History(lag):
                return [(own[max(len(own) - 1 - lag, 0)], weight)]
            case Reference():
                return [(self.reference, weight)]
            case Magnet():
                return [(self._magnets[player], weight)]
            case OtherPlayers():
                others = [j for j in range(len(self.history)) if j != player]
                return [(self.current(j), weight / len(others)) for j in others]
            case External(index):
                return [(self._external(index), weight)]
            case Intermediate():
                assert intermediate is not None, "an intermediate policy needs an earlier update"
                return [(intermediate, weight)]
            case PreviousIntermediate():
                return [(self._carried[player], weight)]
            case MovingAverage() | Demonstrations() | Solution() | Geometric():
                raise InvalidSetting(f"{type(source).__name__} has no form on language models")

    def _external(self, index: int) -> PolicyCheckpoint:
        if index >= len(self._externals):
            raise InvalidSetting(
                f"external policy {index} is named and the recipe has {len(self._externals)} "
                "externals; name one model for each external weight"
            )
        return self._externals[index]


def _exact(weighted: tuple[tuple[_Item, float], ...]) -> tuple[tuple[_Item, float], ...]:
    """The same without the rounding of weights that add up to one on a single item."""
    if len(weighted) == 1 and math.isclose(weighted[0][1], 1.0, rel_tol=1e-9):
        return ((weighted[0][0], 1.0),)
    return weighted


def _merged(shares: Sequence[Share]) -> tuple[Share, ...]:
    """Weights of the same policy added up; weights of zero left out."""
    total: dict[str, Share] = {}
    for policy, weight in shares:
        total[policy.sha256] = (policy, total.get(policy.sha256, (policy, 0.0))[1] + weight)
    return tuple((policy, weight) for policy, weight in total.values() if weight != 0)
