"""From a game and settings to a batch in columns: oracles, reference, start, equilibrium."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.algorithms import Algorithm
from mnpo.errors import InvalidSetting
from simulators.dynamics.modes import Mode
from simulators.dynamics.oracles import (
    ColumnMatrices,
    Oracle,
    PlackettLuce,
    Remembering,
    SharedMatrix,
)
from simulators.dynamics.problem import Problem
from simulators.equilibria import plackett_luce_equilibrium, regularized_log_equilibrium
from simulators.games import Game, check_policy

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batch:
    """R runs of one algorithm, each over C contexts: B = R C columns, contexts fastest.

    Attributes:
        problem: what the minimiser answers from (label noise included in exact modes).
        truth: the oracle of the true (mean) game, which policies are judged by.
        own: the players' true oracles, for heterogeneous games.
        log_equilibrium: (K, B) regularised equilibrium, None where some temperature is 0.
        temperature: (B,).
        runs, contexts: R, C.
        players: number of players.
    """

    problem: Problem
    truth: Oracle
    own: tuple[Oracle, ...] | None
    log_equilibrium: Array | None
    temperature: Array
    runs: int
    contexts: int
    players: int


@dataclass(frozen=True, eq=False)
class Extras:
    """Policies and rewards that some methods need besides the game.

    Attributes:
        externals: external policies, each (K,).
        rewards: (K,) scalar rewards; None takes the game's (mean) utilities where it has them.
        demonstrations: (K,) policy that SPIN imitates.
    """

    externals: Sequence[ArrayLike] | None = None
    rewards: ArrayLike | None = None
    demonstrations: ArrayLike | None = None


def build(
    games: Sequence[Game],
    algorithm: Algorithm,
    mode: Mode,
    temperature: Array,
    reference: ArrayLike | None,
    initial: ArrayLike | str | None,
    extras: Extras,
    seeds: Sequence[int],
) -> Batch:
    """Lay out R runs, run r on ``games[r]`` (or all on the single game).

    Args:
        games: one, or R of the same size.
        algorithm: the value to run.
        mode: its label noise enters the oracles of modes that read exact win rates.
        temperature: (R,) of the regularised game.
        reference: (K,) or (C, K); None is uniform.
        initial: (K,), (players, K) or, for contextual games, (C, K); None is the reference,
            "random" one uniform draw from the simplex for each seed, player and context.
        extras: what else the algorithm reads.
        seeds: R seeds, for random starts.

    Raises:
        UserError: when the pieces do not fit.
    """
    first = games[0]
    runs, contexts, size = len(temperature), first.contexts, first.size
    noise = 0.0 if mode.samples else mode.label_noise
    truth: Oracle = Remembering(_oracle(games, runs, 0.0))
    players = _players(algorithm, first)
    own: tuple[Oracle, ...] | None = None
    if algorithm.heterogeneous:
        own = tuple(Remembering(_annotator_oracle(games, runs, i, 0.0)) for i in range(players))
    # The policies are judged in the true game; only label noise makes the one played another.
    oracles = own or (truth,)
    if noise and own:
        oracles = tuple(_annotator_oracle(games, runs, i, noise) for i in range(players))
    elif noise:
        oracles = (_oracle(games, runs, noise),)
    log_reference = _columns(_log_policy(reference, size, contexts, "reference"), runs)
    log_initial = log_reference
    if isinstance(initial, str):
        log_initial = _random_starts(initial, seeds, size, contexts, players)
    elif initial is not None:
        log_initial = _initial(initial, size, contexts, runs, players)
    per_column = np.repeat(temperature, contexts)
    return Batch(
        problem=Problem(
            oracles=oracles,
            log_reference=log_reference,
            log_initial=log_initial,
            columns=runs * contexts,
            rewards=_rewards(extras, first),
            log_externals=_externals(extras, size),
            log_demonstrations=_demonstrations(extras, size),
        ),
        truth=truth,
        own=own,
        log_equilibrium=_equilibrium(games, truth, per_column, log_reference),
        temperature=per_column,
        runs=runs,
        contexts=contexts,
        players=players,
    )


def _players(algorithm: Algorithm, game: Game) -> int:
    if not algorithm.heterogeneous:
        assert algorithm.players is not None
        return algorithm.players
    if game.annotators is None:
        raise InvalidSetting(
            f"{algorithm.name} gives each player an annotator of its own, and game "
            f"'{game.name}' has none; use a game with annotators such as condorcet"
        )
    count = len(game.annotators)
    if algorithm.players not in (None, count):
        raise InvalidSetting(
            f"{algorithm.name}: num_players is {algorithm.players} and game '{game.name}' has "
            f"{count} annotators; they must agree"
        )
    if count < 2:
        raise InvalidSetting(f"{algorithm.name} needs at least 2 annotators, the game has 1")
    return count


def _oracle(games: Sequence[Game], runs: int, noise: float) -> Oracle:
    game = games[0]
    if game.players > 2:
        if len(games) > 1:
            raise InvalidSetting("one-vs-many games are run one game at a time")
        if noise:
            raise InvalidSetting("label_noise is defined for pairwise games only")
        if game.utilities is None:
            raise InvalidSetting(f"one-vs-many game '{game.name}' has no utilities")
        return PlackettLuce(game.utilities, game.annotator_weights, game.players)
    return _matrix_oracle([g.preferences for g in games], runs, noise)


def _annotator_oracle(games: Sequence[Game], runs: int, player: int, noise: float) -> Oracle:
    matrices = []
    for game in games:
        assert game.annotators is not None
        matrices.append(game.annotators[player])
    return _matrix_oracle(matrices, runs, noise)


def _matrix_oracle(matrices: Sequence[Array], runs: int, noise: float) -> Oracle:
    noisy = [(1 - 2 * noise) * matrix + noise if noise else matrix for matrix in matrices]
    if len(noisy) == 1 and noisy[0].ndim == 2:
        return SharedMatrix(noisy[0])
    stacked = [m if m.ndim == 3 else m[None] for m in noisy]
    if len(stacked) == 1:
        stacked = stacked * runs
    return ColumnMatrices(np.concatenate(stacked))


def _equilibrium(
    games: Sequence[Game], truth: Oracle, temperature: Array, log_reference: Array
) -> Array | None:
    if (temperature <= 0).any():
        return None
    columns = len(temperature)
    wide = np.broadcast_to(log_reference, (len(log_reference), columns))
    if not truth.linear:
        game = games[0]
        assert game.utilities is not None
        solved = {
            tau: np.log(
                plackett_luce_equilibrium(
                    game.utilities,
                    players=game.players,
                    temperature=tau,
                    reference=np.exp(wide[:, 0]),
                    annotator_weights=game.annotator_weights,
                )
            )
            for tau in set(temperature.tolist())
        }
        return np.stack([solved[tau] for tau in temperature], axis=1)
    matrices = truth.matrices()
    if matrices.ndim == 2 and log_reference.shape[1] == 1:
        distinct, index = np.unique(temperature, return_inverse=True)
        found = regularized_log_equilibrium(matrices, distinct, log_reference.T).log_policy
        return np.ascontiguousarray(found.T[:, index])
    found = regularized_log_equilibrium(matrices, temperature, wide.T).log_policy
    return np.ascontiguousarray(found.T)


def _log_policy(policy: ArrayLike | None, size: int, contexts: int, name: str) -> Array:
    """(K, 1) or (K, C) log-probabilities of a checked policy."""
    if policy is None:
        return np.full((size, 1), -np.log(size))
    given = np.asarray(policy, dtype=np.float64)
    if given.ndim == 2 and contexts > 1:
        if len(given) != contexts:
            raise InvalidSetting(
                f"the {name} has {len(given)} rows and the game {contexts} contexts"
            )
        rows = [check_policy(row, size, name=f"{name}[{c}]") for c, row in enumerate(given)]
        return np.log(np.stack(rows, axis=1))
    return np.log(check_policy(given, size, name=name))[:, None]


def _columns(log_policy: Array, runs: int) -> Array:
    """Repeat per-context columns for every run; a single column broadcasts by itself."""
    return log_policy if log_policy.shape[1] == 1 else np.tile(log_policy, (1, runs))


def _initial(initial: ArrayLike, size: int, contexts: int, runs: int, players: int) -> Array:
    given = np.asarray(initial, dtype=np.float64)
    if given.ndim == 2 and contexts == 1:
        if len(given) != players:
            raise InvalidSetting(f"initial has {len(given)} policies for {players} player(s)")
        rows = [check_policy(row, size, name=f"initial[{i}]") for i, row in enumerate(given)]
        return np.log(np.stack(rows))[:, :, None]
    return _columns(_log_policy(given, size, contexts, "initial"), runs)


def _random_starts(
    initial: str, seeds: Sequence[int], size: int, contexts: int, players: int
) -> Array:
    """(players, K, B) draws from the uniform distribution on the simplex, a stream per seed."""
    if initial != "random":
        raise InvalidSetting(f"initial must be a policy or 'random', got {initial!r}")
    draws = [
        np.random.default_rng([seed, 4]).exponential(size=(players, contexts, size))
        for seed in seeds
    ]
    weights = np.stack(draws, axis=1)  # (players, R, C, K)
    log_policies = np.log(weights) - np.log(weights.sum(axis=-1, keepdims=True))
    return np.ascontiguousarray(np.moveaxis(log_policies, -1, 1).reshape(players, size, -1))


def _rewards(extras: Extras, game: Game) -> Array | None:
    if extras.rewards is not None:
        rewards = np.asarray(extras.rewards, dtype=np.float64)
        if rewards.shape != (game.size,) or not np.isfinite(rewards).all():
            raise InvalidSetting(f"rewards must be {game.size} finite numbers, one for each action")
        return rewards[:, None]
    if game.utilities is None:
        return None
    weights = game.annotator_weights
    return np.average(np.atleast_2d(game.utilities), axis=0, weights=weights)[:, None]


def _externals(extras: Extras, size: int) -> Array | None:
    if extras.externals is None:
        return None
    checked = [
        check_policy(policy, size, name=f"externals[{k}]")
        for k, policy in enumerate(extras.externals)
    ]
    return np.log(np.stack(checked))[:, :, None]


def _demonstrations(extras: Extras, size: int) -> Array | None:
    if extras.demonstrations is None:
        return None
    return np.log(check_policy(extras.demonstrations, size, name="demonstrations"))[:, None]
