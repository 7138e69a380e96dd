"""Runs of one algorithm on many games with many step sizes, as one batch.

The games of a family become the contexts of one game: a batch's columns then have each a matrix,
a reference and a stream of questions of their own, and all step sizes are answered alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnpo.algorithms import find_entry
from mnpo.errors import NoMinimiser
from simulators.dynamics.modes import Mode
from simulators.dynamics.result import BatchResult
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.games import Game
from simulators.metrics.gaps import regularized_gap, unregularized_gap
from simulators.suite.draws import DrawnGame
from simulators.suite.settings import Regime

Array = NDArray[np.float64]

#: The largest gap there is, and what a run that diverges is counted with.
WORST = 1.0


@dataclass(frozen=True)
class Method:
    """An algorithm as a suite runs it.

    Attributes:
        algorithm: registry name.
        parameters: that are not the defaults.
        temperature: tau of the method, and of the regularised gap.
        inverse_step: the method's own parameter is 1/alpha: its step_size, or its temperature
            where it reads no step_size.
    """

    algorithm: str
    parameters: Mapping[str, Any]
    temperature: float
    inverse_step: bool = False


@dataclass(frozen=True)
class Outcome:
    """The end of one run on one game; the mean over a game's contexts.

    Attributes:
        gap_last, gap_average: unregularised duality gap of the last and of the average policy,
            between 0 and 1 (of n players, the sum of their gains over n - 1).
        regularized_gap_last: of the last policy in the regularised game, at most 1.
        external_regret: against the best fixed action, over all iterations.
        verdict: see `simulators.metrics.verdict`.
        iterations, rounds, queries: what was done and asked.
        note: why the run ended early; "" where it did not.
    """

    gap_last: float
    gap_average: float
    regularized_gap_last: float
    external_regret: float
    verdict: str
    iterations: int
    rounds: int
    queries: int
    note: str = ""


def play(
    method: Method,
    games: Sequence[DrawnGame],
    step_sizes: Sequence[float],
    regime: Regime,
    iterations: int,
) -> list[list[Outcome]]:
    """Run every game with every step size.

    Args:
        method: the algorithm.
        games: G games of one family, whose seeds follow on one another.
        step_sizes: S values.
        regime: how preferences are read.
        iterations: T.

    Returns:
        S lists of G outcomes.

    Raises:
        UserError: the algorithm cannot run on these games.
    """
    if games[0].game.players > 2:  # one-vs-many games come one at a time
        each = range(len(games))
        parts = [_play_one(method, games, g, step_sizes, regime, iterations) for g in each]
        return _transposed(parts)
    together = _play_stacked(method, games, step_sizes, regime, iterations)
    if together is not None:
        return together
    if len(step_sizes) > 1:
        return [play(method, games, [step], regime, iterations)[0] for step in step_sizes]
    if len(games) > 1:
        # In quarters, to the runs that fail. No questions are asked here: a sampled fit always has
        # a minimiser.
        size = -(-len(games) // 4)
        quarters = [games[at : at + size] for at in range(0, len(games), size)]
        played = [play(method, some, step_sizes, regime, iterations)[0] for some in quarters]
        return [[outcome for outcomes in played for outcome in outcomes]]
    return [_play_one(method, games, 0, step_sizes, regime, iterations)]


def rounds_of_an_iteration(method: Method, game: DrawnGame, regime: Regime) -> int:
    """Win-rate vectors that an iteration asks for, over all players and updates.

    Raises:
        UserError: the algorithm cannot run on this game.
    """
    settings = _settings(method, [1.0], regime, 2, game.reference, 0)
    try:
        result = simulate_batch(_without_rewards(game.game), settings)
    except NoMinimiser:
        return 1  # a logistic fit, of which an iteration makes one
    return max(result.ledger.oracle_rounds // 2, 1)


def query_seed(games: Sequence[DrawnGame], position: int) -> int | None:
    """The seed with which `simulate` asks the same questions; None where contexts differ in it."""
    if games[0].game.contexts > 1:
        return None
    return games[0].seed * 1_000_003 + position


def stack(games: Sequence[Game]) -> Game:
    """Games of equal size as the contexts of one."""
    first = games[0]
    matrices = [g.preferences.reshape(-1, g.size, g.size) for g in games]
    annotators = None
    if first.annotators is not None and first.contexts == 1:
        annotators = np.stack([np.asarray(g.annotators) for g in games], axis=1)
    return Game(
        first.name,
        np.concatenate(matrices),
        first.actions,
        annotators=annotators,
        annotator_weights=first.annotator_weights,
    )


def _without_rewards(game: Game) -> Game:
    """The game as a stack has it: a batch has one set of rewards, and the games differ in theirs.

    One-vs-many games are not stacked and keep their utilities, which are the game.
    """
    return game if game.players > 2 else replace(game, utilities=None)


def _play_stacked(
    method: Method,
    games: Sequence[DrawnGame],
    step_sizes: Sequence[float],
    regime: Regime,
    iterations: int,
) -> list[list[Outcome]] | None:
    """As `play`; None where some run has no minimiser, which ends its whole batch."""
    reference = np.concatenate([game.reference for game in games])
    stacked = stack([game.game for game in games])
    if len(reference) == 1:  # a single game has no contexts
        stacked = _without_rewards(games[0].game)
    several = len(reference) > 1
    seed = games[0].seed if several else games[0].seed * 1_000_003
    settings = _settings(method, step_sizes, regime, iterations, reference, seed)
    try:
        result = simulate_batch(stacked, settings)
    except NoMinimiser:
        return None
    if result.stopped and len(games) > 1:
        return None
    return _outcomes(result, method, games)


def _play_one(
    method: Method,
    games: Sequence[DrawnGame],
    position: int,
    step_sizes: Sequence[float],
    regime: Regime,
    iterations: int,
) -> list[Outcome]:
    """One game, all step sizes."""
    game = games[position]
    seed = query_seed(games, position) or 0
    settings = _settings(method, step_sizes, regime, iterations, game.reference, seed)
    try:
        result = simulate_batch(_without_rewards(game.game), settings)
    except NoMinimiser as error:
        if len(step_sizes) == 1:
            return [_lost(str(error))]
        parts = [
            _play_one(method, games, position, [step], regime, iterations) for step in step_sizes
        ]
        return [outcome for (outcome,) in parts]
    return [outcome for (outcome,) in _outcomes(result, method, [game])]


def _settings(
    method: Method,
    step_sizes: Sequence[float],
    regime: Regime,
    iterations: int,
    reference: Array,
    seed: int,
) -> Settings:
    steps = np.array(step_sizes, dtype=np.float64)
    temperature: float | Array = method.temperature
    if method.inverse_step and "step_size" in find_entry(method.algorithm).kind.reads:
        steps = 1 / steps
    elif method.inverse_step:
        temperature = 1 / steps
    return Settings(
        algorithm=method.algorithm,
        step_size=steps,
        temperature=temperature,
        seeds=(seed,),
        iterations=iterations,
        mode=Mode(name=regime.mode, queries=regime.queries, label_noise=regime.label_noise),
        reference=reference if len(reference) > 1 else reference[0],
        parameters=tuple(sorted(method.parameters.items())),
    )


def _outcomes(
    result: BatchResult, method: Method, games: Sequence[DrawnGame]
) -> list[list[Outcome]]:
    """Of a batch whose contexts are the games', S lists of G."""
    contexts = games[0].game.contexts
    runs = result.runs * len(games)
    batch = replace(result.batch, runs=runs, contexts=contexts)
    # Columns are step sizes, games, contexts, the last fastest: every game a run of its own.
    single = replace(result, games=[g.game for g in games] * result.runs, batch=batch)
    scale = 1 / (games[0].game.players - 1)
    last = scale * single.series("gap")[-1]
    average = scale * single.series("average_gap")[-1]
    regularized = scale * _regularized(single, method.temperature)
    regret = single.recorder.external_regret.reshape(runs, contexts).mean(axis=1)
    verdicts = single.verdicts
    ledger = result.ledger
    shares = result.batch.contexts // contexts if result.batch.contexts > 1 else 1
    outcomes = [
        Outcome(
            gap_last=bounded(last[r]),
            gap_average=bounded(average[r]),
            regularized_gap_last=bounded(regularized[r]),
            external_regret=float(regret[r]),
            verdict=str(verdicts[r]),
            iterations=len(single.series("gap")) - 1,
            rounds=ledger.oracle_rounds,
            queries=ledger.preference_queries // shares,
            note=result.stopped or "",
        )
        for r in range(runs)
    ]
    return [outcomes[s * len(games) : (s + 1) * len(games)] for s in range(result.runs)]


def _regularized(result: BatchResult, temperature: float) -> Array:
    """The last policies' gap at the suite's temperature, whatever the method's own was."""
    truth, worst = result.batch.truth, None
    for policies in result.recorder.last:
        gap = regularized_gap(
            truth.win_rates(policies.probabilities),
            policies.probabilities,
            result.batch.problem.log_reference,
            temperature,
            policies.log,
        )
        worst = gap if worst is None else np.maximum(worst, gap)
    assert worst is not None
    grouped = worst.reshape(result.batch.runs, result.batch.contexts)
    return np.asarray(truth.players * grouped.mean(axis=1))


def bounded(gap: float) -> float:
    """The gap as it counts: `WORST` where it is larger, or no number."""
    return WORST if not np.isfinite(gap) else min(float(gap), WORST)


def _lost(reason: str) -> Outcome:
    """A run that has no first step."""
    return Outcome(WORST, WORST, WORST, float("nan"), "no minimiser", 0, 0, 0, reason)


def _transposed(parts: list[list[Outcome]]) -> list[list[Outcome]]:
    return [list(row) for row in zip(*parts, strict=True)]


def play_start(method: Method, game: DrawnGame) -> tuple[float, float, float]:
    """Before the first step: the reference's two gaps, and the regularised equilibrium's gap."""
    regime = Regime(mode="exact", rounds=1, tuning=1, held_out=1)
    settings = _settings(method, [1.0], regime, 0, game.reference, 0)
    result = simulate_batch(game.game, settings)
    ((start,),) = _outcomes(result, method, [game])
    truth, equilibrium = result.batch.truth, result.batch.log_equilibrium
    assert equilibrium is not None
    probabilities = np.exp(equilibrium)
    gain = unregularized_gap(truth.win_rates(probabilities), probabilities)
    settled = truth.players * float(gain.mean()) / (truth.players - 1)
    return start.gap_last, start.regularized_gap_last, settled
