"""Batches of games against plain runs, one at a time."""

import warnings
from itertools import chain

import numpy as np
import pytest

from simulators import simulate
from simulators.dynamics.advice import StabilityWarning
from simulators.suite.draws import DrawnGame, draw_game
from simulators.suite.play import (
    Method,
    bounded,
    play,
    query_seed,
    rounds_of_an_iteration,
    stack,
)
from simulators.suite.settings import Family, Regime, SuiteSettings

EXACT = Regime(mode="exact", rounds=12, tuning=1, held_out=1)
NOISY = Regime(mode="sampled", queries=30, rounds=6, tuning=1, held_out=1)
STEPS = (0.25, 2.0)
ALGORITHMS = ("inpo", "mnpo", "egpo", "onpo", "mnpo-eq10", "mpo", "nash-ema", "dpo-online", "ipo")


def games_of(settings: SuiteSettings, name: str, count: int = 3, first: int = 7) -> list[DrawnGame]:
    family = settings.families[name]
    return [draw_game(name, family, seed, 0.2) for seed in range(first, first + count)]


def reference(game: DrawnGame) -> np.ndarray:
    return game.reference if game.game.contexts > 1 else game.reference[0]


def check_twin(method: Method, games: list[DrawnGame], regime: Regime, iterations: int) -> None:
    """Every outcome of a batch is what `simulate` says of that game alone."""
    found = play(method, games, STEPS, regime, iterations)
    mode = {} if regime.queries is None else {"queries": regime.queries}
    for step, outcomes in zip(STEPS, found, strict=True):
        for g, (game, outcome) in enumerate(zip(games, outcomes, strict=True)):
            run = simulate(
                game.game,
                method.algorithm,
                step_size=step,
                temperature=method.temperature,
                reference=reference(game),
                iterations=iterations,
                mode=regime.mode,
                seed=query_seed(games, g) or 0,
                **mode,
                **method.parameters,
            ).summary()
            scale = 1 / (game.game.players - 1)
            for name in ("gap_last", "gap_average", "regularized_gap_last"):
                expected = min(scale * run[name], 1.0)
                assert getattr(outcome, name) == pytest.approx(expected, abs=1e-12), name
            assert outcome.external_regret == pytest.approx(run["external_regret"], abs=1e-10)
            assert outcome.verdict == run["verdict"]
            assert outcome.rounds == run["oracle_rounds"]
            assert outcome.queries == run["preference_queries"]


@pytest.mark.filterwarnings("ignore::simulators.dynamics.advice.StabilityWarning")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exact_batches_equal_plain_runs(standard: SuiteSettings, algorithm: str) -> None:
    check_twin(Method(algorithm, {}, 0.1), games_of(standard, "knob"), EXACT, 12)


@pytest.mark.filterwarnings("ignore::simulators.dynamics.advice.StabilityWarning")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sampled_batches_equal_plain_runs(standard: SuiteSettings, algorithm: str) -> None:
    check_twin(Method(algorithm, {}, 0.1), games_of(standard, "random-skew"), NOISY, 6)


@pytest.mark.filterwarnings("ignore::simulators.dynamics.advice.StabilityWarning")
@pytest.mark.parametrize("name", ["contextual", "plackett-luce", "condorcet"])
def test_contexts_rankings_and_annotators_equal_plain_runs(
    standard: SuiteSettings, name: str
) -> None:
    algorithm = "ht-mnpo" if name == "condorcet" else "inpo"
    check_twin(Method(algorithm, {}, 0.1), games_of(standard, name, 2), EXACT, 9)
    if name == "condorcet":
        check_twin(Method(algorithm, {}, 0.1), games_of(standard, name, 2), NOISY, 4)


@pytest.mark.filterwarnings("ignore::simulators.dynamics.advice.StabilityWarning")
def test_a_single_game_is_no_exception(standard: SuiteSettings) -> None:
    for regime in (EXACT, NOISY):
        check_twin(Method("inpo", {}, 0.1), games_of(standard, "knob", 1), regime, 6)


def test_questions_do_not_depend_on_how_many_games_are_asked(standard: SuiteSettings) -> None:
    games = games_of(standard, "disc", 4)
    method = Method("inpo", {}, 0.1)
    whole = play(method, games, STEPS, NOISY, 6)
    part = play(method, games[:2], STEPS, NOISY, 6)
    assert [row[:2] for row in whole] == part


def test_an_inverse_step_leaves_the_judge_alone(standard: SuiteSettings) -> None:
    games = games_of(standard, "knob", 2)
    (outcomes,) = play(Method("dpo-iterative", {}, 0.1, True), games, [0.5], EXACT, 6)
    for game, outcome in zip(games, outcomes, strict=True):
        run = simulate(
            game.game,
            "dpo-iterative",
            temperature=2.0,
            reference=game.reference[0],
            iterations=6,
        )
        assert outcome.gap_last == pytest.approx(run.summary()["gap_last"], abs=1e-12)
        judged = float(run.gap(temperature=0.1, reference=game.reference[0])[-1])
        assert outcome.regularized_gap_last == pytest.approx(min(judged, 1), abs=1e-12)


def test_an_inverse_step_size_is_the_step_of_the_sound_form(standard: SuiteSettings) -> None:
    """Equal players: Eq. 15 as printed with step_size 1/alpha is Eq. 10 with alpha."""
    games = games_of(standard, "knob", 2)
    printed = play(Method("mnpo-eq15", {}, 0.1, True), games, STEPS, EXACT, 5)
    sound = play(Method("mnpo-eq10", {}, 0.1), games, STEPS, EXACT, 5)
    for one, other in zip(chain(*printed), chain(*sound), strict=True):
        assert one.gap_last == pytest.approx(other.gap_last, abs=1e-12)


@pytest.mark.parametrize(
    ("algorithm", "rounds"),
    [("inpo", 1), ("egpo", 2), ("onpo", 1), ("mnpo-eq10", 3), ("ht-mnpo", 3), ("ipo", 1)],
)
@pytest.mark.parametrize("regime", [EXACT, NOISY], ids=["exact", "noisy"])
def test_rounds_of_an_iteration(
    standard: SuiteSettings, algorithm: str, rounds: int, regime: Regime
) -> None:
    (game,) = games_of(standard, "condorcet", 1)
    assert rounds_of_an_iteration(Method(algorithm, {}, 0.1), game, regime) == rounds


def test_a_run_that_diverges_counts_with_the_worst_gap(standard: SuiteSettings) -> None:
    """At a vertex the regularised gap exceeds 1, which is where it is cut."""
    games = games_of(standard, "cyclic", 6)
    (outcomes,) = play(Method("inpo", {}, 0.1), games, [1e6], EXACT, 13)
    for game, outcome in zip(games, outcomes, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StabilityWarning)
            run = simulate(
                game.game, "inpo", step_size=1e6, reference=game.reference[0], iterations=13
            ).summary()
        assert outcome.regularized_gap_last == min(run["regularized_gap_last"], 1.0)
        assert outcome.gap_last <= 1.0
    assert max(outcome.regularized_gap_last for outcome in outcomes) == 1.0


def test_what_is_no_number_counts_with_the_worst_gap() -> None:
    found = [bounded(value) for value in (float("nan"), float("inf"), 1.5, 0.25)]
    assert found == [1.0, 1.0, 1.0, 0.25]


def test_a_run_without_minimiser_is_lost_alone() -> None:
    """DPO on a deterministic transitive game has none; its neighbour in the batch has."""
    values = [3.0, 0.0, 0.0]
    regular = draw_game("f", Family(game="bradley-terry", parameters={"utilities": values}), 0, 0.2)
    values = [3000.0, 0.0, -3000.0]
    hard = draw_game("f", Family(game="bradley-terry", parameters={"utilities": values}), 1, 0.2)
    ((kept, lost),) = play(Method("dpo", {}, 0.1), [regular, hard], [1.0], EXACT, 3)
    assert lost.verdict == "no minimiser"
    assert (lost.gap_last, lost.gap_average, lost.regularized_gap_last) == (1.0, 1.0, 1.0)
    assert kept.gap_last < 0.5
    assert kept.verdict != "no minimiser"


def test_a_stack_keeps_every_matrix(standard: SuiteSettings) -> None:
    games = games_of(standard, "condorcet")
    stacked = stack([game.game for game in games])
    for g, game in enumerate(games):
        np.testing.assert_array_equal(stacked.preferences[g], game.game.preferences)
        np.testing.assert_array_equal(stacked.annotators[:, g], game.game.annotators)
