"""Do more players, or a longer history, help at equal budget, and on which games?"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, paired_difference
from leaderboards.claims.claim import Claim, Detail, Effort, Finding
from leaderboards.claims.decide import conclude, exact, total_variation
from leaderboards.claims.games import SKEWED, blend, population, skewed
from leaderboards.claims.tuning import Budget, Method, below, last_gap, run, tuned_step
from simulators.dynamics.modes import Mode
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.equilibria import plackett_luce_equilibrium, regularized_equilibrium
from simulators.games import Game, make_game
from simulators.games.matrices import bradley_terry
from simulators.metrics.welfare import worst_annotator_win_rate

Array = NDArray[np.float64]

_MNPO = "MNPO, arXiv 2509.23102"
#: Iterations of the paper's training.
ROUNDS = 3
#: Fewest ``seeds`` with which a test says something.
GAMES_LEAST, NOISE_LEAST = 64, 32
METHODS = (
    Method("n = 2 (INPO)", "inpo"),
    Method("n = 3", "mnpo", (("num_players", 3),)),
    Method("n = 4", "mnpo", (("num_players", 4),)),
    Method("EGPO, half as many iterations", "egpo", rounds=2),
)
WEAK, STRONG = 0.01, 0.1
FAMILIES = {
    "transitive": partial(blend, 0.0),
    "half cyclic": partial(blend, 0.5),
    "cyclic": partial(blend, 1.0),
    "agreeing annotators": partial(population, 0.0),
    "Condorcet cycle": partial(population, 1.0),
}
#: Circumstance -> (family, temperature).
SETTINGS = {
    "preferences are cyclic and regularisation weak (tau = 0.01)": ("cyclic", WEAK),
    "they are half cyclic and it is weak": ("half cyclic", WEAK),
    "they are transitive": ("transitive", WEAK),
    "annotators agree": ("agreeing annotators", WEAK),
    "annotators form a Condorcet cycle": ("Condorcet cycle", WEAK),
    "regularisation is strong (tau = 0.1), preferences cyclic": ("cyclic", STRONG),
}


def more_players(effort: Effort, *, rounds: int = ROUNDS, same_method: bool = False) -> Finding:
    """TD-MNPO with n = 3 and 4 against INPO after three iterations, exact win rates.

    Args:
        effort: four times ``seeds`` games a family are held out, `GAMES_LEAST` ``seeds`` at least;
            as many others as ``seeds`` tune the steps. If quick, without what decides nothing.
        rounds: iterations.
        same_method: compare INPO with itself, to test the test.
    """
    level = 1 - 0.05 / (2 * len(SETTINGS))
    cases: dict[str, bool] = {}
    details: dict[str, Detail] = {}
    decisive: Interval | None = None
    for setting, (family, temperature) in SETTINGS.items():
        for horizon in (rounds,) if effort.quick else (rounds, 10 * rounds):
            gaps = _tuned_gaps(family, temperature, horizon, effort, same_method)
            name = f"{setting}, T = {horizon}"
            base, *others = gaps.values()
            details[f"gap, {name}, n = 2 (INPO)"] = float(base.mean())
            differences = [paired_difference(gap, base, level=level) for gap in others]
            for label, found in zip(list(gaps)[1:], differences, strict=True):
                details[f"difference to INPO, {name}, {label}"] = found
            if horizon == rounds:
                cases[setting] = all(below(found) for found in differences[:2])
                if family == "cyclic" and temperature == WEAK:
                    decisive = differences[0]
    assert decisive is not None
    return conclude(
        cases,
        quantity="difference of duality gaps, n = 3 less INPO, random cyclic games, tau = 0.01",
        number=decisive,
        details=details,
        repetitions=effort.at_least(GAMES_LEAST),
    )


def _tuned_gaps(
    family: str, temperature: float, rounds: int, effort: Effort, same_method: bool
) -> dict[str, Array]:
    """Gaps on held-out games by method, each with the step that is best on other games."""
    make = FAMILIES[family]
    count = effort.at_least(GAMES_LEAST)
    games = [make(effort.seed + i) for i in range(4 * count)]
    # A tuning game shares no seed with a held-out one.
    others = [make(1_000_000 + effort.seed + i) for i in range(count)]
    budget = Budget(rounds, temperature=temperature, reference=tuple(skewed(games[0].size)))
    gaps = {}
    for method in METHODS[:3] if effort.quick else METHODS:
        chosen = METHODS[0] if same_method else method
        step, _ = tuned_step(chosen, others, last_gap, budget)
        gaps[method.label] = last_gap(run(chosen, games, [step], budget))
    return gaps


def noise_robustness(effort: Effort, *, queries: int = 20) -> Finding:
    """The noise floor of TD-MNPO against INPO's: at the same step, and at the same effective one.

    A history with mean lag m answers a lasting force with 1/(1 + m) of its step, so a step
    alpha (1 + m) moves as far as INPO's alpha.
    """
    seeds = tuple(range(effort.seed, effort.seed + effort.at_least(NOISE_LEAST)))
    iterations = 200 if effort.quick else 600
    step = 0.2
    floor = {1: _noise_floor(1, step, queries, iterations, seeds)}
    details: dict[str, Detail] = {"KL, INPO": float(floor[1].mean())}
    same: list[Interval] = []
    effective: list[Interval] = []
    for lags in (2, 3, 4):
        mean_lag = (lags - 1) / 2
        for kind, found, alpha in (
            ("same step", same, step),
            ("same effective step", effective, step * (1 + mean_lag)),
        ):
            noise = _noise_floor(lags, alpha, queries, iterations, seeds)
            difference = paired_difference(noise, floor[1])
            relative = difference.times(1 / float(floor[1].mean()))
            found.append(relative)
            details[f"KL, {lags} lags, {kind}"] = float(noise.mean())
            details[f"relative difference to INPO, {lags} lags, {kind}"] = relative
    return conclude(
        {
            "the step is the same, so that the history moves less": all(
                below(found) for found in same
            ),
            "the effective step alpha/(1 + mean lag) is the same": all(
                below(found) for found in effective
            ),
        },
        quantity="relative difference of the KL to the equilibrium to INPO's, three lags, same "
        "effective step",
        number=effective[1],
        details=details,
        repetitions=len(seeds),
    )


def _noise_floor(
    lags: int, step: float, queries: int, iterations: int, seeds: tuple[int, ...]
) -> Array:
    """(seeds,) mean KL over the second half, rock, paper, scissors."""
    game = make_game("cyclic")
    settings = Settings(
        "mnpo",
        step_size=step,
        temperature=0.1,
        # From the equilibrium, so that no method is still on its way there.
        initial=regularized_equilibrium(game.preferences, 0.1, SKEWED),
        seeds=seeds,
        iterations=iterations,
        mode=Mode("sampled", queries=queries),
        reference=SKEWED,
        parameters=(("num_players", lags + 1),),
    )
    kl = simulate_batch(game, settings).series("kl")
    return np.asarray(kl[iterations // 2 :].mean(axis=0))


def one_versus_many(effort: Effort, *, players: tuple[int, ...] = (3, 5, 10)) -> Finding:
    """Where MNPO ends for n players against the n-player game's own equilibrium."""
    utilities = np.linspace(0, 2, 6)
    P = bradley_terry(utilities)
    pairwise = regularized_equilibrium(P, 0.1)
    ends: list[float] = []
    distances: list[float] = []
    details: dict[str, Detail] = {}
    for count in players:
        settings = Settings(
            "mnpo",
            step_size=1.0,
            temperature=0.1,
            iterations=1500,
            parameters=(("num_players", count),),
        )
        end = simulate_batch(Game("bt", P, tuple("abcdef")), settings).last_policies(0)[0, 0]
        many = plackett_luce_equilibrium(utilities, players=count, temperature=0.1)
        ends.append(float(total_variation(end, pairwise)))
        distances.append(float(total_variation(end, many)))
        details[f"distance to the {count}-player equilibrium"] = distances[-1]
    for count in (2, 3, 8, 1024):
        worst, policy = annotated_equilibrium(count)
        details[f"worst annotator at the {count}-player equilibrium"] = worst
        details[f"the {count}-player equilibrium of three annotators"] = ", ".join(
            f"{share:.3f}" for share in policy
        )
    return conclude(
        {f"n is {count}": value < 1e-3 for count, value in zip(players, distances, strict=True)},
        instead={
            "for every n it ends at the pairwise equilibrium": max(ends) < 1e-6,
        },
        quantity="total variation from the 3-player equilibrium, Bradley-Terry utilities 0 to 2",
        number=exact(distances[0], len(distances)),
        details={"largest distance to the pairwise equilibrium": max(ends)} | details,
    )


def annotated_equilibrium(players: int) -> tuple[float, Array]:
    """Worst annotator's win rate, and the policy, of three annotators who disagree."""
    utilities = 2.0 * np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])
    policy = plackett_luce_equilibrium(
        utilities,
        players=players,
        temperature=1e-6 if players > 100 else 1e-5,
        annotator_weights=(0.5, 0.3, 0.2),
    )
    return worst_annotator_win_rate(bradley_terry(utilities), policy), policy


CLAIMS = (
    Claim(
        name="more-players-help",
        statement="More players, that is a longer history, give a better policy after the three "
        "iterations of the paper's training.",
        source=f"{_MNPO}, Table 5 (ablation on n)",
        test="TD-MNPO with n = 3 and 4 and INPO, three iterations of exact win rates from a skewed "
        "reference; steps tuned on other games. Holds in a family of games if both paired "
        "differences of the duality gap are below zero, intervals at a joint level of 95 %.",
        find=more_players,
        commands=(
            "simulate --game random-skew --algorithms mnpo,inpo --iterations 3 --temperature 0.01 "
            "--reference skewed --sweep step_size=1:16:log:5 --set mnpo.num_players=4",
        ),
    ),
    Claim(
        name="history-resists-noise",
        statement="Past policies as opponents make training more robust to noisy preferences.",
        source=f"{_MNPO}, section on TD-MNPO (stability)",
        test="Mean KL to the equilibrium over the second half of runs with 20 queries an iteration "
        "on rock, paper, scissors. Holds if with 2, 3 and 4 lags it is lower than INPO's, "
        "95 % intervals of the paired differences included.",
        find=noise_robustness,
        commands=(
            "simulate --game cyclic --reference 0.6,0.3,0.1 --algorithms mnpo --mode sampled "
            "--set queries=20 --step-size 0.2 --iterations 600 --seeds 64 "
            "--sweep num_players=2,3,4,5",
        ),
    ),
    Claim(
        name="n-player-equilibrium",
        statement="With n players MNPO finds the equilibrium of the n-player game of Eq. 5.",
        source=f"{_MNPO}, Eq. 5, 7 and 10",
        test="Where TD-MNPO with n - 1 lags ends, against the symmetric regularised equilibrium of "
        "the one-versus-many Plackett-Luce game. Holds for an n where the total variation is below "
        "0.001.",
        find=one_versus_many,
        commands=(
            "simulate --game plackett-luce --set game.players=3 --algorithms mnpo "
            "--iterations 1500",
            "simulate --game bradley-terry --set game.actions=6 --algorithms mnpo "
            "--sweep num_players=3,5,10 --step-size 1 --iterations 1500",
        ),
    ),
)
