"""Where the last policy goes, not only the average: without, and with regularisation."""

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import mean_interval
from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import conclude, exact
from leaderboards.claims.games import SKEWED, has_winner, known_games, random_games, skewed
from mnpo.algorithms import get_algorithm
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game
from simulators.metrics.local_rate import local_multiplier, rotation_frequencies
from simulators.metrics.rates import fitted_multiplier

Array = NDArray[np.float64]

TAU = 0.1


def unregularized(effort: Effort, *, algorithm: str = "mwu", step_size: float = 0.5) -> Finding:
    """The last gap of unregularised self-play on random games with and without a best response.

    Args:
        effort: twice ``seeds`` games, 16 ``seeds`` at least for some of either kind.
        algorithm: what plays itself.
        step_size: its step.
    """
    repetitions = effort.at_least(16)
    games = random_games(2 * repetitions, effort.seed)
    settings = Settings(
        algorithm,
        step_size=step_size,
        reference=skewed(games[0].size),
        iterations=1500 if effort.quick else 6000,
    )
    run = simulate_batch(games, settings)
    quarter = run.series("gap")[-(settings.iterations // 4) :]
    last, average = quarter.max(axis=0), run.series("average_gap")[-1]
    beats_all = np.array([has_winner(game) for game in games])
    easy, hard = mean_interval(last[beats_all]), mean_interval(last[~beats_all])
    closed = 0.02
    return conclude(
        {
            "one response beats every other": easy.value < closed,
            "none does, preferences are cyclic": hard.value < closed,
        },
        instead={
            "there only the average of the policies converges": bool(
                average[~beats_all].mean() < closed
            )
        },
        quantity="largest duality gap of the last quarter of the run, cyclic games, mean",
        number=hard,
        details={
            "the same, games in which one response beats every other": easy.value,
            "gap of the average policy, cyclic games, mean": float(average[~beats_all].mean()),
            "cyclic games": float((~beats_all).sum()),
            "games with a response that beats every other": float(beats_all.sum()),
        },
        repetitions=repetitions,
    )


def inpo_stability(effort: Effort, *, scale: float = 1.0) -> Finding:
    """INPO below and above the step 2 tau/(omega^2 + tau^2), and its rate against the theory's.

    Args:
        effort: how much.
        scale: the bound is multiplied by it, to test the test.
    """
    iterations = 1500 if effort.quick else 4000
    below, above, deviations = [], [], []
    details: dict[str, float] = {}
    for name, game in known_games().items():
        observed, predicted, closed = inpo_rates(game, iterations, scale)
        deviations.append(abs(observed / predicted - 1))
        below.append(closed[0] and closed[1])
        above.append(closed[2])
        details[f"fall of log KL a step, {name}, observed"] = observed
        details[f"fall of log KL a step, {name}, predicted"] = predicted
    return conclude(
        {
            "the step is below 2 tau/(omega^2 + tau^2)": all(below) and max(deviations) < 0.02,
            "it is above": any(above),
        },
        quantity="largest relative deviation of the observed rate from the predicted one",
        number=exact(max(deviations), len(deviations)),
        details=details,
    )


def inpo_rates(game: Game, iterations: int, scale: float = 1.0) -> tuple[float, float, list[bool]]:
    """Observed and predicted fall of log KL a step at half the bound; who closed the distance.

    Returns:
        observed, predicted, and whether the runs at 0.5, 0.9 and 1.1 of the bound arrived.
    """
    reference = SKEWED if game.size == 3 else skewed(game.size)
    rest = regularized_equilibrium(game.preferences, TAU, reference)
    omega = rotation_frequencies(game.preferences, rest)[0]
    bound = scale * 2 * TAU / (omega**2 + TAU**2)
    settings = Settings(
        "inpo",
        step_size=bound * np.array([0.5, 0.9, 1.1]),
        temperature=TAU,
        reference=reference,
        iterations=iterations,
    )
    distance = simulate_batch(game, settings).series("squared_distance")
    algorithm = get_algorithm("inpo", step_size=0.5 * bound, temperature=TAU)
    multiplier = local_multiplier(algorithm, game.preferences, rest)
    assert multiplier is not None
    observed = 2 * np.log(fitted_multiplier(distance[:, 0]))
    # The window of the fit moves with the start; a run that is over in a few steps has no tail.
    if not np.isfinite(observed):
        observed = _slope(distance[:, 0])
    return float(observed), float(2 * np.log(multiplier)), [bool(d < 1e-6) for d in distance[-1]]


def decaying_step(effort: Effort, *, schedule: str = "decaying") -> Finding:
    """The exponent of T with which the KL to the equilibrium falls under 2/(tau (t + 2))."""
    iterations = 500 if effort.quick else 4000
    slopes: dict[str, list[float]] = {"inpo": [], "nash-md": []}
    details: dict[str, float] = {}
    for name, game in known_games().items():
        for algorithm, found in slopes.items():
            settings = Settings(
                algorithm,
                temperature=TAU,
                reference=skewed(game.size),
                iterations=iterations,
                parameters=(("schedule", schedule),),
            )
            distance = simulate_batch(game, settings).series("squared_distance")[:, 0]
            points = np.unique(np.geomspace(iterations / 8, iterations, 40).astype(int))
            tail = np.maximum(distance[points], 1e-30)
            found.append(float(np.polyfit(np.log(points), np.log(tail), 1)[0]))
            details[f"exponent, {algorithm}, {name}"] = found[-1]
    slowest = max(slopes["inpo"])
    return conclude(
        {"the schedule is 2/(tau (t + 2))": slowest <= -1 and max(slopes["nash-md"]) <= -1},
        quantity="slowest exponent of T in INPO's squared distance to the equilibrium",
        number=exact(slowest, len(slopes["inpo"])),
        details={"slowest exponent, Nash-MD": max(slopes["nash-md"])} | details,
    )


def _slope(distance: Array) -> float:
    inside = np.flatnonzero((distance < 1e-3) & (distance > 1e-26))
    if len(inside) < 2:  # it never came near
        return 0.0
    return float(np.polyfit(inside, np.log(distance[inside]), 1)[0])


CLAIMS = (
    Claim(
        name="last-iterate",
        statement="The last policy of unregularised self-play (Eq. 10, SPPO, DNO) converges to a "
        "Nash equilibrium.",
        source="MNPO, arXiv 2509.23102, Eq. 10; SPPO, arXiv 2405.00675",
        test="Random games with 5 actions, step 0.5. Holds where the mean over games of the "
        "largest gap of the last quarter is below 0.02.",
        find=unregularized,
        commands=("simulate --game cyclic --algorithms mwu,sppo --reference 0.6,0.3,0.1",),
    ),
    Claim(
        name="inpo-last-iterate",
        statement="INPO's last policy converges linearly to the regularised equilibrium.",
        source="INPO, arXiv 2407.00617; local theory of this project",
        test="Runs at 0.5, 0.9 and 1.1 times the step 2 tau/(omega^2 + tau^2) on six games, omega "
        "the largest rotation frequency at the equilibrium. Holds where all arrive and the "
        "rate is within 2 % of the predicted one.",
        find=inpo_stability,
        commands=(
            "simulate --game cyclic --algorithms inpo --reference 0.6,0.3,0.1 --iterations 2000 "
            "--sweep step_size=1.15,2.07,2.53",
        ),
    ),
    Claim(
        name="decaying-step",
        statement="With the step 2/(tau (t + 2)) the KL of INPO and Nash-MD to the equilibrium "
        "falls as O(1/T).",
        source="INPO, arXiv 2407.00617, Theorem; Nash-MD, arXiv 2312.00886, Theorem 1",
        test="Exponent of T over the last three octaves, six games. Holds if it is at most -1 "
        "everywhere.",
        find=decaying_step,
        commands=(
            "simulate --game cyclic --algorithms inpo,nash-md --set schedule=decaying "
            "--reference 0.6,0.3,0.1 --iterations 4000",
        ),
    ),
)
