"""The outer loop: an algorithm value, resolved on a batch of tabular policies.

The loop owns time and players: it turns the sources an update names into policies, hands the
resolved update to a minimiser (exact, gradient, sampled or neural) and records what comes back.
It is the same for every mode.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mnpo.algorithms import Algorithm, Distance, Update
from mnpo.algorithms.scalars import Scalar
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
from mnpo.algorithms.update import Weighted
from mnpo.errors import InvalidSetting, NoMinimiser
from simulators.dynamics.policies import Policies, normalize
from simulators.dynamics.problem import Ledger, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Opponent:
    """One resolved opponent: its policies, its coefficient, and a key that names it in time.

    The same key means the same policy, so an estimate made against it can be reused.
    """

    key: object
    policies: Policies
    coefficient: Scalar


@dataclass(frozen=True, eq=False)
class Task:
    """A resolved update of one player, ready for a minimiser.

    Attributes:
        iteration, player: when and whose.
        anchor: (K, B) sum_j weight_j log anchor_j, unnormalised.
        opponents: whom the advantage is measured against; empty for a reward advantage.
        implicit: the opponent is the solution itself (a proximal step); opponents is empty.
        winners: log-probabilities of the winners' source when no preference is asked (SPIN).
        current: the player's current policies, where an optimiser may start.
    """

    iteration: int
    player: int
    anchor: Array
    opponents: tuple[Opponent, ...]
    implicit: bool
    step_size: Scalar
    distance: Distance
    rewards: Array | None
    winners: Array | None
    current: Policies

    @property
    def samples_pairs(self) -> bool:
        """Whether the opponents form a mixture that pairs can be drawn from.

        Optimistic methods extrapolate with coefficients that do not; their advantage is a
        combination of several.
        """
        coefficients = [np.asarray(opponent.coefficient) for opponent in self.opponents]
        positive = all((coefficient >= 0).all() for coefficient in coefficients)
        return positive and bool(np.allclose(sum(coefficients), 1.0, atol=1e-9))

    @property
    def mixture(self) -> Array:
        """sum_k coefficient_k mu_k, (K, B)."""
        first, *rest = self.opponents
        total = first.coefficient * first.policies.probabilities
        for opponent in rest:
            total = total + opponent.coefficient * opponent.policies.probabilities
        return np.asarray(total)


class Minimiser(Protocol):
    """Finds the policy that an update asks for."""

    ledger: Ledger

    def minimise(self, task: Task) -> Array:
        """The next (K, B) log-policy, unnormalised; may return fresh or reusable memory."""
        ...


Observer = Callable[[int, list[Policies]], None]


def run(
    algorithm: Algorithm,
    problem: Problem,
    minimiser: Minimiser,
    *,
    iterations: int,
    observe: Observer | None = None,
    players: int | None = None,
) -> list[Policies]:
    """Run T iterations and return every player's last policies.

    Args:
        algorithm: the value to run; its hyper-parameters may be arrays over the B columns.
        problem: the batch.
        minimiser: how an update is carried out.
        iterations: T >= 0.
        observe: called with (t, policies of each player) for t = 0 ... T; must not keep the
            arrays beyond the call unless it copies them.
        players: number of players, when the algorithm leaves it to the game.

    Raises:
        InvalidSetting: when the algorithm needs something the problem does not have.
        NoMinimiser: when an update has no finite minimiser.
    """
    state = _State(algorithm, problem, players or algorithm.players)
    if observe:
        observe(0, state.policies)
    for t in range(iterations):
        updates = algorithm.updates(t)
        following: list[Policies] = []
        for player in range(state.players):
            result: Policies | None = None
            for update in updates:
                if update is updates[-1] and result is not None:
                    state.carry(player, result)
                task = state.resolve(update, t, player, result)
                try:
                    result = normalize(minimiser.minimise(task))
                except NoMinimiser as error:
                    error.iteration = t
                    raise
            assert result is not None
            following.append(result)
        state.advance(following, t)
        if observe:
            observe(t + 1, state.policies)
    return state.policies


class _State:
    """Policies of every player through time, as far back as the algorithm looks."""

    def __init__(self, algorithm: Algorithm, problem: Problem, players: int | None) -> None:
        if players is None:
            raise InvalidSetting(
                f"{algorithm.name}: the number of players is left to the game, which has no "
                "annotators; set num_players"
            )
        self.problem = problem
        self.players = players
        shape = (problem.actions, problem.columns)
        initial = np.asarray(problem.log_initial)
        starts = initial if initial.ndim == 3 else [initial] * players
        if len(starts) != players:
            raise InvalidSetting(
                f"{algorithm.name}: {len(starts)} initial policies for {players} players"
            )
        depth = _deepest_lag(algorithm) + 1
        self._history = [
            deque([normalize(np.broadcast_to(start, shape).copy())], maxlen=depth)
            for start in starts
        ]
        reference = np.broadcast_to(problem.log_reference, shape).copy()
        self._reference = normalize(reference)
        self._period = algorithm.magnet_period
        self._magnets = [self._reference] * players
        self._carried = self.policies
        self._carried_next = list(self._carried)
        self._averages: dict[tuple[int, float], Policies] = {}
        self._decays = {
            source.decay
            for update in algorithm.updates(0)
            for source in _sources(update)
            if isinstance(source, MovingAverage)
        }
        for player in range(players):
            for decay in self._decays:
                self._averages[player, decay] = self._history[player][0]
        self._constants: dict[Source, Policies] = {}

    @property
    def policies(self) -> list[Policies]:
        """Every player's current policies."""
        return [history[0] for history in self._history]

    def carry(self, player: int, intermediate: Policies) -> None:
        """Keep the result of an update before the last one for the next iteration."""
        self._carried_next[player] = intermediate

    def advance(self, following: list[Policies], iteration: int) -> None:
        """Make ``following`` the current policies, after iteration t."""
        for player, policies in enumerate(following):
            self._history[player].appendleft(policies)
            for decay in self._decays:
                past = self._averages[player, decay].log
                mixed = decay * past + (1 - decay) * policies.log
                self._averages[player, decay] = normalize(mixed)
        self._carried = list(self._carried_next)
        if self._period and (iteration + 1) % self._period == 0:
            self._magnets = list(following)

    def resolve(self, update: Update, t: int, player: int, result: Policies | None) -> Task:
        """The update with every source replaced by policies."""
        opponents: list[Opponent] = []
        implicit = False
        for source, coefficient in self._expanded(update.opponents, player):
            if isinstance(source, Solution):
                implicit = True
                continue
            policies = self._policies(source, player, result)
            opponents.append(Opponent(self._key(source, t, player), policies, coefficient))
        winners = None
        if update.winners is not None:
            winners = self._policies(update.winners, player, result).log
        if update.advantage == "reward" and self.problem.rewards is None:
            raise InvalidSetting(
                "the advantage is a scalar reward and the game has none; give rewards=[...], "
                "one for each action"
            )
        return Task(
            iteration=t,
            player=player,
            anchor=self._mix(update.anchors, player, result),
            opponents=tuple(opponents),
            implicit=implicit,
            step_size=update.step_size,
            distance=update.distance,
            rewards=self.problem.rewards if update.advantage == "reward" else None,
            winners=winners,
            current=self._history[player][0],
        )

    def _mix(self, weighted: tuple[Weighted, ...], player: int, result: Policies | None) -> Array:
        """sum_j weight_j log source_j, in fresh memory."""
        total: Array | None = None
        for source, weight in self._expanded(weighted, player):
            if isinstance(weight, float | int) and weight == 0:
                continue
            term = weight * self._policies(source, player, result).log
            if total is None:
                total = np.asarray(term)
            else:
                total += term
        if total is None:
            return np.zeros((self.problem.actions, self.problem.columns))
        return total

    def _expanded(
        self, weighted: tuple[Weighted, ...], player: int
    ) -> list[tuple[Source | tuple[int, Source], Scalar]]:
        """The weighted sources with `OtherPlayers` shared out to the players it stands for."""
        expanded: list[tuple[Source | tuple[int, Source], Scalar]] = []
        for source, weight in weighted:
            if isinstance(source, OtherPlayers):
                others = [j for j in range(self.players) if j != player]
                expanded += [((j, History(0)), weight / len(others)) for j in others]
            else:
                expanded.append((source, weight))
        return expanded

    def _policies(
        self, source: Source | tuple[int, Source], player: int, result: Policies | None
    ) -> Policies:
        if isinstance(source, tuple):
            player, source = source
        match source:
            case History(lag):
                history = self._history[player]
                return history[min(lag, len(history) - 1)]
            case Reference():
                return self._reference
            case Magnet():
                return self._magnets[player]
            case MovingAverage(decay):
                return self._averages[player, decay]
            case Intermediate():
                assert result is not None, "an intermediate policy needs an earlier update"
                return result
            case PreviousIntermediate():
                return self._carried[player]
            case Geometric(parts):
                return normalize(self._mix(parts, player, result))
            case External(index):
                return self._constant(source, self._external(index))
            case Demonstrations():
                return self._constant(source, self._demonstrations())
        raise AssertionError(f"no policies for {source}")

    def _key(self, source: Source | tuple[int, Source], t: int, player: int) -> object:
        """Names a policy across iterations: lag 1 at t + 1 is lag 0 at t."""
        if isinstance(source, tuple):
            player, source = source
        if isinstance(source, History):
            return player, max(t - source.lag, 0)
        if isinstance(source, Reference | External):
            return source
        return player, t, source.__class__.__name__

    def _constant(self, source: Source, log: Array) -> Policies:
        if source not in self._constants:
            shape = (self.problem.actions, self.problem.columns)
            self._constants[source] = normalize(np.broadcast_to(log, shape).copy())
        return self._constants[source]

    def _external(self, index: int) -> Array:
        externals = self.problem.log_externals
        count = 0 if externals is None else len(externals)
        if externals is None or index >= count:
            raise InvalidSetting(
                f"external policy {index} is named and {count} are given; give "
                "externals=[policy, ...], one for each external weight"
            )
        return np.asarray(externals[index])

    def _demonstrations(self) -> Array:
        if self.problem.log_demonstrations is None:
            raise InvalidSetting(
                "this method imitates demonstrations and none are given; give "
                "demonstrations=[...], a policy over the actions"
            )
        return self.problem.log_demonstrations


def _sources(update: Update) -> list[Source]:
    found: list[Source] = []
    pending = [source for source, _ in (*update.anchors, *update.opponents)]
    while pending:
        source = pending.pop()
        found.append(source)
        if isinstance(source, Geometric):
            pending += [part for part, _ in source.parts]
    return found


def _deepest_lag(algorithm: Algorithm) -> int:
    """The oldest policy that any update names; the updates of t = 0 and 1 name them all."""
    return max(
        (
            source.lag
            for t in (0, 1)
            for update in algorithm.updates(t)
            for source in _sources(update)
            if isinstance(source, History)
        ),
        default=0,
    )
