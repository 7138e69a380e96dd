"""Heterogeneous annotators: what HT-MNPO finds, and for whom it is good."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, mean_interval, paired_difference
from leaderboards.claims.claim import Claim, Detail, Effort, Finding
from leaderboards.claims.decide import conclude, total_variation
from leaderboards.claims.games import population
from leaderboards.claims.tuning import above, last_policies
from simulators.dynamics.result import BatchResult
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game, make_game
from simulators.metrics.welfare import nash_welfare, worst_annotator_win_rate

Array = NDArray[np.float64]

_MNPO = "MNPO, arXiv 2509.23102"
TAU = 0.1
#: Fewest populations with which a test says something.
EQUILIBRIUM_LEAST, WORST_LEAST = 8, 64
#: By label: algorithm and its parameters.
METHODS: dict[str, tuple[str, tuple[tuple[str, object], ...]]] = {
    "HT-MNPO as in Alg. 2": ("ht-mnpo", ()),
    "HT-MNPO against the others": ("ht-mnpo", (("reading", "intended"),)),
    "INPO on the mixture": ("inpo", ()),
    "own anchor (mirror descent of every player)": (
        "ht-mnpo",
        (("reading", "intended"), ("self_weight", 1.0)),
    ),
}
BY_SHARES, EQUAL_SHARES = "INPO on the mixture", "INPO on the equally weighted mixture"
OWN_ANCHOR = "own anchor (mirror descent of every player)"
READINGS = ("HT-MNPO as in Alg. 2", "HT-MNPO against the others")


def equilibrium(effort: Effort, *, self_weight: float = 0.0) -> Finding:
    """Each player's gain from leaving HT-MNPO's limit, and how far that is from the consensus.

    Args:
        effort: ``seeds`` populations of three annotators that form a cycle, `EQUILIBRIUM_LEAST` at
            least.
        self_weight: share of the player's own policy among its anchors; the method has 0.
    """
    games = _populations(effort, EQUILIBRIUM_LEAST)
    gaps: dict[str, Array] = {}
    for label in (*READINGS, "own anchor (mirror descent of every player)"):
        algorithm, parameters = METHODS[label]
        if label in READINGS and self_weight:
            parameters = (("reading", "intended"), ("self_weight", self_weight))
        gaps[label] = _player_gap(_run(games, algorithm, parameters, 0.2))
    known = consensus_distances((0.1, 0.3, 1.0) if effort.quick else (0.03, 0.1, 0.3, 1.0))
    ordered = sorted(known)
    shrinks = all(known[small] < 0.6 * known[large] for small, large in pairwise(ordered))
    worst = mean_interval(gaps[READINGS[0]])
    return conclude(
        {
            f"it is read as {label.removeprefix('HT-MNPO ')}": bool(gaps[label].max() < 1e-3)
            for label in READINGS
        },
        instead={
            "its limit tends to the equilibrium of the average annotator as the step falls": (
                shrinks
            ),
            "with the player's own policy as its anchor the equilibrium is found": bool(
                gaps["own anchor (mirror descent of every player)"].max() < 1e-3
            ),
        },
        quantity="largest gain of a player from another policy, win probability, mean",
        number=worst,
        details={
            **{f"largest gain, {label}": float(gap.mean()) for label, gap in gaps.items()},
            **{
                f"total variation from the average annotator's equilibrium, step {step:g}": value
                for step, value in known.items()
            },
        },
        repetitions=len(games),
    )


def consensus_distances(steps: Sequence[float]) -> dict[float, float]:
    """By step: largest distance of HT-MNPO's limit to the average oracle's equilibrium.

    The three annotators of the game plackett-luce with shares of one third.
    """
    game = make_game("plackett-luce", players=2)
    reference = (0.2, 0.3, 0.5)
    rest = regularized_equilibrium(game.preferences, TAU, reference)
    found = {}
    for step in steps:
        settings = Settings(
            "ht-mnpo",
            step_size=step,
            temperature=TAU,
            reference=reference,
            iterations=int(150 / step),
        )
        run = simulate_batch(game, settings)
        found[step] = float(total_variation(run.last_policies(0)[:, 0], rest).max())
    return found


def worst_annotator(effort: Effort, *, against: str | None = None) -> Finding:
    """Worst annotator's win rate and welfare of HT-MNPO and others, on random populations.

    Args:
        effort: ``seeds`` populations, `WORST_LEAST` at least.
        against: compare with this method alone, to test the test.
    """
    games = _populations(effort, WORST_LEAST)
    worst: dict[str, Array] = {}
    welfare: dict[str, Array] = {}
    details: dict[str, Detail] = {}
    for label, (algorithm, parameters) in (METHODS | {EQUAL_SHARES: METHODS[BY_SHARES]}).items():
        played = [_equal_shares(game) for game in games] if label == EQUAL_SHARES else games
        policies = last_policies(_run(played, algorithm, parameters, 0.3))
        pairs = list(zip(games, policies, strict=True))
        worst[label] = np.array([worst_annotator_win_rate(_own(g), pi) for g, pi in pairs])
        welfare[label] = np.array([nash_welfare(_own(g), pi) for g, pi in pairs])
        details[f"worst annotator's win rate, {label}"] = mean_interval(worst[label])
        details[f"Nash welfare, {label}"] = mean_interval(welfare[label])
    better: dict[str, bool] = {}
    decisive: Interval | None = None
    for circumstance, other in (
        ("the two-player method weighs annotators by their shares", BY_SHARES),
        ("it weighs them equally, as HT-MNPO does", EQUAL_SHARES),
    ):
        differences = {
            f"{name}, {label} less {other}": paired_difference(
                values[label], values[against or other]
            )
            for label in READINGS
            for name, values in (("worst annotator", worst), ("welfare", welfare))
        }
        better[circumstance] = all(above(found) for found in differences.values())
        details |= differences
        decisive = decisive or next(iter(differences.values()))
    for label in READINGS:
        for name, values in (("worst annotator", worst), ("welfare", welfare)):
            found = paired_difference(values[label], values[OWN_ANCHOR])
            details[f"{name}, {label} less {OWN_ANCHOR}"] = found
    assert decisive is not None
    return conclude(
        better,
        quantity="worst annotator's win rate against uniform, HT-MNPO less INPO on the mixture",
        number=decisive,
        details=details,
        repetitions=len(games),
    )


def _populations(effort: Effort, least: int) -> list[Game]:
    return [population(1.0, effort.seed + i) for i in range(effort.at_least(least))]


def _equal_shares(game: Game) -> Game:
    """The same annotators, one as much as the other."""
    return replace(game, preferences=_own(game).mean(axis=0))


def _run(
    games: list[Game], algorithm: str, parameters: tuple[tuple[str, object], ...], step: float
) -> BatchResult:
    settings = Settings(
        algorithm,
        step_size=step,
        temperature=TAU,
        iterations=int(100 / step),
        parameters=parameters,
    )
    return simulate_batch(games, settings)


def _player_gap(run: BatchResult) -> Array:
    """(R,) Eq. 9's gap of the worst player, under its own oracle."""
    gaps = run.recorder.multiplayer_gap
    assert gaps is not None
    return np.asarray(gaps[-1].max(axis=0))


def _own(game: Game) -> Array:
    assert game.annotators is not None
    return game.annotators


CLAIMS = (
    Claim(
        name="ht-mnpo-equilibrium",
        statement="HT-MNPO finds the Nash equilibrium of players who each have an annotator of "
        "their own.",
        source=f"{_MNPO}, Alg. 2 and the section on heterogeneous preferences",
        test="Populations of three annotators in a Condorcet cycle, tau = 0.1. Holds where no "
        "player can gain more than 0.001 by leaving the limit.",
        find=equilibrium,
        commands=(
            "simulate --game plackett-luce --set game.players=2 --algorithms ht-mnpo "
            "--reference 0.2,0.3,0.5 --iterations 4000 --sweep step_size=0.03,0.1,0.3,1",
        ),
    ),
    Claim(
        name="ht-mnpo-worst-annotator",
        statement="HT-MNPO serves every annotator: the worst one, and welfare, are better off than "
        "with a two-player method on the annotators' mixture.",
        source=f"{_MNPO}, Table 8 and the section on heterogeneous preferences",
        test="Win rate against the uniform policy of the annotator who is served worst, and the "
        "geometric mean of all annotators' (Nash welfare), on random populations in a Condorcet "
        "cycle, HT-MNPO less INPO. Holds where the intervals of all paired differences, in both "
        "readings, lie above zero.",
        find=worst_annotator,
        commands=("simulate --game condorcet --set game.kind=utilities --algorithms ht-mnpo,inpo",),
    ),
)
