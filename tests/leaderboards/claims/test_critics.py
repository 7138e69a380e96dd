"""Against whom the critics' test compares: the best two-player method by each outcome, tuned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from leaderboards.claims import Effort, Finding, Verdict, critics
from leaderboards.claims.games import population
from leaderboards.claims.outcomes import (
    DISTANCE,
    GAP,
    OUTCOMES,
    WORST,
    Reached,
    best_by,
    populations,
    reach,
    told,
)
from leaderboards.claims.tuning import Budget, run, step_grid
from simulators.metrics.gaps import duality_gap

QUICK = Effort(seeds=4, quick=True)
INPO, SPPO, ONLINE_IPO, EGPO = critics.TWO_PLAYER
#: Mean outcomes, smaller is better: SPPO is the best by the gap and the worst by all else.
MEANS = {
    "INPO": (0.096, -0.493, 0.113),
    "SPPO": (0.032, -0.430, 0.390),
    "online IPO": (0.155, -0.405, 0.408),
    "EGPO": (0.092, -0.486, 0.145),
    "TD-MNPO, n = 3": (0.095, -0.493, 0.110),
}


def _table(means: dict[str, tuple[float, float, float]]) -> dict[str, dict[str, Reached]]:
    noise = np.random.default_rng(0).normal(0, 0.01, size=(len(means), 3, 128))
    return {
        label: {
            outcome: Reached(1.0, mean, mean + noise[row, column] - noise[row, column].mean())
            for column, (outcome, mean) in enumerate(zip(OUTCOMES, own, strict=True))
        }
        for row, (label, own) in enumerate(means.items())
    }


def _judged(
    monkeypatch: pytest.MonkeyPatch, means: dict[str, tuple[float, float, float]]
) -> Finding:
    monkeypatch.setattr(critics, "reach", lambda *args: _table(means))
    monkeypatch.setattr(critics, "populations", lambda *args: ([population(1.0, 0)], []))
    return critics.diverse_annotators(QUICK)


def test_no_outcome_is_won_against_a_method_that_another_outcome_chose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _judged(monkeypatch, MEANS)
    assert found.verdict is Verdict.FAILS
    assert "it adds bias, judged by the gap of the average game (against SPPO)" in found.condition
    assert "judged by the worst annotator's win rate (against INPO)" in found.condition
    monkeypatch.setattr(critics, "best_by", lambda outcome, methods, table: SPPO)
    against_sppo = critics.diverse_annotators(QUICK)
    assert against_sppo.verdict is Verdict.HOLDS_WHEN


@pytest.mark.parametrize(
    ("own", "verdict"),
    [
        ((0.095, -0.493, 0.110), Verdict.FAILS),
        ((0.095, -0.530, 0.110), Verdict.HOLDS_WHEN),
        ((0.010, -0.530, 0.050), Verdict.HOLDS),
        ((0.028, -0.498, 0.108), Verdict.FAILS),  # better, but by less than is told apart
    ],
)
def test_the_verdict_follows_the_outcomes(
    own: tuple[float, float, float], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _judged(monkeypatch, MEANS | {"TD-MNPO, n = 3": own}).verdict is verdict


def test_held_out_populations_have_no_say_in_the_choice() -> None:
    seen = np.array([-9.0, -9.0])
    table = {
        "INPO": {WORST: Reached(1.0, -0.5, np.zeros(2))},
        "SPPO": {WORST: Reached(1.0, -0.4, seen)},
    }
    assert best_by(WORST, (SPPO, INPO), table) is INPO
    games, tuning = populations(1.0, QUICK)
    held_out = {game.parameters["seed"] for game in games}
    assert held_out.isdisjoint({game.parameters["seed"] for game in tuning})


def test_steps_are_those_of_a_loop_over_them() -> None:
    """A naive twin: one run a step, the gap of its last policies by hand."""
    budget = Budget(iterations=3, queries=None)
    games = [population(1.0, seed) for seed in range(2)]
    tuning = [population(1.0, seed) for seed in range(10, 13)]
    own = reach([INPO], games, tuning, budget)["INPO"][GAP]

    def gaps(chosen: Sequence[Any], step: float) -> list[float]:
        last = [run(INPO, [game], [step], budget).last_policies(0)[0, 0] for game in chosen]
        return [float(duality_gap(g.preferences, p)) for g, p in zip(chosen, last, strict=True)]

    means = {step: float(np.mean(gaps(tuning, step))) for step in step_grid(budget.temperature)}
    best = min(means, key=lambda step: means[step])
    assert own.step == best
    assert own.tuned == pytest.approx(means[best])
    assert own.values == pytest.approx(gaps(games, best))


def test_a_win_rate_is_told_with_its_own_sign() -> None:
    table = _table(MEANS)
    found = critics.compare(table["INPO"][WORST], table["SPPO"][WORST], 0.9)
    turned = told(WORST, found)
    assert (turned.value, turned.low, turned.high) == (-found.value, -found.high, -found.low)
    assert told(DISTANCE, found) is found


def test_weak_competitors_change_the_verdict() -> None:
    """Run whole: without the methods that are better by the gap, MNPO beats what is left."""
    found = critics.diverse_annotators(QUICK, two_player=(ONLINE_IPO,))
    assert found.verdict is not Verdict.FAILS
    assert found.details["d = 1, best two-player method by the gap of the average game"] == (
        "online IPO"
    )


def test_the_best_method_in_mnpos_place_is_no_better_than_itself() -> None:
    found = critics.diverse_annotators(QUICK, multiplayer=SPPO, two_player=(SPPO,))
    assert found.verdict is Verdict.FAILS
    assert found.number.value == 0


def test_matched_methods_are_judged_with_and_without_the_reference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = "TD-MNPO, n = 3, no reference"

    def judged(own: tuple[float, float, float]) -> Finding:
        table = _table(MEANS | {without: own})
        monkeypatch.setattr(critics, "reach", lambda *args: table)
        return critics.matched_methods(QUICK)

    assert judged((0.035, -0.431, 0.385)).verdict is Verdict.FAILS
    better = judged((0.035, -0.480, 0.385))
    assert better.verdict is Verdict.HOLDS_WHEN
    assert better.condition.startswith("without it, judged by the worst annotator's win rate; not")
    same = critics.matched_methods(QUICK, same_method=True)
    assert same.verdict is Verdict.FAILS
    assert "no difference is shown to exceed 0.01" in same.condition
    assert same.number.value == 0
