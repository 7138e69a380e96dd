"""TD-MNPO's history: where it rests, what weights below one do, when the last policy converges."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import SAME, conclude, exact, largest_difference
from leaderboards.claims.games import SKEWED, known_games, skewed
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game, make_game
from simulators.metrics.gaps import duality_gap

Array = NDArray[np.float64]

_MNPO = "MNPO, arXiv 2509.23102"
TAU, STEP = 0.1, 0.3
#: Relative history weights, by what they are.
WEIGHTS: Mapping[str, tuple[float, ...]] = {
    "one lag": (1.0,),
    "two equal lags": (0.5, 0.5),
    "lag 1 alone": (0.0, 1.0),
    "three equal lags": (1 / 3,) * 3,
    "four equal lags": (0.25,) * 4,
    "ten equal lags": (0.1,) * 10,
}


def fixed_point(effort: Effort, *, total: float = 1.0) -> Finding:
    """Whether the regularised equilibrium is at rest under any history weights.

    Args:
        effort: how much.
        total: sum of the history weights and the reference's; 1 is the sound choice.
    """
    moved = {}
    for name, weights in WEIGHTS.items():
        found = []
        for game in known_games().values():
            ref = skewed(game.size)
            rest = regularized_equilibrium(game.preferences, TAU, ref)
            found.append(largest_difference(_td_step(game, ref, rest, weights, total), rest))
        moved[name] = max(found)
    worst = max(moved.values())
    return conclude(
        {"all weights sum to one": worst < SAME},
        quantity="largest movement of a probability at the regularised equilibrium",
        number=exact(worst, len(moved)),
        details=moved,
    )


def weights_below_one(effort: Effort, *, total: float = 0.8) -> Finding:
    """Where TD-MNPO rests when its weights sum to less than one.

    Args:
        effort: how much.
        total: sum of the history weights and the reference's.
    """
    share = STEP * TAU
    history = total - share
    ordinary: list[float] = []
    hidden: list[float] = []
    for game in known_games().values():
        ref = skewed(game.size)
        tempered = ref ** (share / (1 - history))
        tempered /= tempered.sum()
        hidden_rest = regularized_equilibrium(game.preferences, (1 - history) / STEP, tempered)
        rest = regularized_equilibrium(game.preferences, TAU, ref)
        for weights in ((1.0,), (0.5, 0.5)):
            for point, found in ((rest, ordinary), (hidden_rest, hidden)):
                moved = _td_step(game, ref, point, weights, total)
                found.append(largest_difference(moved, point))
    return conclude(
        {f"they sum to {total:g}": max(ordinary) < SAME},
        instead={
            f"it rests at the equilibrium of temperature (1 - sum of history weights)/alpha, "
            f"{(1 - history) / STEP:.3g} in place of {TAU:g}, around a reference that is flattened "
            "towards uniform": max(hidden) < SAME
        },
        quantity="largest movement of a probability at the equilibrium it should rest at",
        number=exact(max(ordinary), len(ordinary)),
        details={
            "movement at the flattened equilibrium": max(hidden),
            "temperature meant": TAU,
            "temperature that results": (1 - history) / STEP,
            "power of the reference that results": share / (1 - history),
        },
    )


def history_last_iterate(effort: Effort, *, step_size: float = 0.3) -> Finding:
    """Unregularised TD-MNPO on rock, paper, scissors: which history weights draw it inwards."""
    iterations = 1500 if effort.quick else 5000
    ends: dict[tuple[str, str], float] = {}
    inwards: dict[tuple[str, str], bool] = {}
    names = [name for name in WEIGHTS if not effort.quick or name != "ten equal lags"]
    for advantage in ("current", "average"):
        for name in names:
            distance = history_run(WEIGHTS[name], advantage, step_size, iterations)
            ends[name, advantage] = float(distance[-1])
            # Late against early, both as means over many turns.
            early, late = np.array_split(distance[len(distance) // 5 :], 2)
            inwards[name, advantage] = bool(late.mean() < 0.8 * early.mean())
    above = [name for name in names if _second_moment(WEIGHTS[name]) > 1 + SAME]
    below = [name for name in names if name not in above]
    return conclude(
        {
            "pairs come from pi_t and the sum of j^2 lambda_j exceeds 1, as with three equal lags "
            "or more": all(inwards[name, "current"] for name in above),
            "pairs come from pi_t and that sum is at most 1": any(
                inwards[name, "current"] for name in below
            ),
            "the advantage is averaged over the same opponents (Eq. 13)": any(
                inwards[name, "average"] for name in names
            ),
        },
        quantity=f"KL from the equilibrium after {iterations} steps, three equal lags, nats",
        number=exact(ends["three equal lags", "current"], 1),
        details={
            f"KL, {name}, advantage {'against pi_t' if kind == 'current' else 'averaged'}": value
            for (name, kind), value in ends.items()
        },
    )


def history_run(
    weights: tuple[float, ...], advantage: str, step_size: float, iterations: int
) -> Array:
    """(T + 1,) KL(uniform || pi_t) of unregularised TD-MNPO on rock, paper, scissors."""
    settings = Settings(
        "mnpo",
        step_size=step_size,
        temperature=0.0,
        reference=SKEWED,
        iterations=iterations,
        parameters=(("history_weights", weights), ("advantage", advantage)),
    )
    run = simulate_batch(make_game("cyclic"), settings, keep_policies=True)
    policies = run.single().policies
    return np.asarray(-np.log(3) - np.log(np.maximum(policies, 1e-300)).mean(axis=1))


def gap_of_eq9(effort: Effort, *, factor: float = 1.0) -> Finding:
    """The ratio of Eq. 9's gap at n = 2 to Eq. 4's, of equal policies."""
    ratios = []
    for game in known_games().values():
        ref = skewed(game.size)
        run = simulate_batch(
            game,
            Settings("mnpo-eq10", reference=ref, iterations=10, parameters=(("num_players", 2),)),
        )
        assert run.recorder.multiplayer_gap is not None
        policy = run.last_policies(0)[0, 0]
        gap = duality_gap(game.preferences, policy, TAU, ref)
        ratios.append(factor * float(run.recorder.multiplayer_gap[-1, 0, 0]) / float(gap))
    mean = float(np.mean(ratios))
    return conclude(
        {"both players have the same policy": largest_difference(ratios, 1.0) < 1e-6},
        instead={"Eq. 9 is half of it": largest_difference(ratios, 0.5) < 1e-6},
        quantity="gap of Eq. 9 at n = 2 divided by that of Eq. 4",
        number=exact(mean, len(ratios)),
        details={"largest deviation from one half": largest_difference(ratios, 0.5)},
    )


def _td_step(
    game: Game, ref: Array, start: Array, weights: tuple[float, ...], total: float
) -> Array:
    """(K,) one iteration of TD-MNPO whose weights sum to ``total``, from a long rest at start."""
    history = total - STEP * TAU
    scaled = tuple(history * weight / sum(weights) for weight in weights)
    return simulate(
        game, "mnpo", step_size=STEP, temperature=TAU, reference=ref, initial=start, iterations=1,
        history_weights=scaled, scale_weights=False,
    ).last  # fmt: skip


def _second_moment(weights: tuple[float, ...]) -> float:
    return sum(lag**2 * weight for lag, weight in enumerate(weights)) / sum(weights)


CLAIMS = (
    Claim(
        name="fixed-point-of-history",
        statement="TD-MNPO aims at the same regularised equilibrium for any history weights.",
        source=f"{_MNPO}, Eq. 17; theory of this project",
        test="One step from the regularised equilibrium under six sets of weights, six games. "
        f"Holds where no probability moves by {SAME:g}.",
        find=fixed_point,
        commands=(
            "simulate --game cyclic --algorithms mnpo --reference 0.6,0.3,0.1 --step-size 0.3 "
            "--iterations 1000 --sweep num_players=2,3,4",
        ),
    ),
    Claim(
        name="weights-below-one",
        statement="The opponents' weights may sum to less than one without changing what TD-MNPO "
        "finds.",
        source=f"{_MNPO}, definition of the weights below Eq. 13",
        test="One step from the regularised equilibrium with weights that sum to 0.8. Holds where "
        f"no probability moves by {SAME:g}.",
        find=weights_below_one,
        commands=(
            "simulate --game cyclic --algorithms mnpo --reference 0.6,0.3,0.1 --step-size 0.3 "
            "--iterations 1000 --set scale_weights=false --set history_weights=[0.77]",
        ),
    ),
    Claim(
        name="history-last-iterate",
        statement="Past policies as opponents make the last policy converge without "
        "regularisation.",
        source=f"{_MNPO}, Eq. 13 and 17; theory of this project",
        test="TD-MNPO without a reference on rock, paper, scissors. It is drawn inwards if the "
        "mean KL from the equilibrium over the last two fifths of the run is below 0.8 of that "
        "over the two fifths before. Holds for sums above 1 if all weights are drawn inwards, for "
        "the others if any is.",
        find=history_last_iterate,
        commands=(
            "simulate --game cyclic --algorithms mnpo --temperature 0 --step-size 0.3 "
            "--reference 0.6,0.3,0.1 --iterations 5000 --sweep num_players=2,3,4,5",
        ),
    ),
    Claim(
        name="eq9-is-eq4",
        statement="The multiplayer duality gap of Eq. 9 is the two-player gap of Eq. 4 at n = 2.",
        source=f"{_MNPO}, Eq. 4 and 9",
        test="Both gaps of the same policies on six games. Holds where their ratio is 1.",
        find=gap_of_eq9,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10 --set num_players=2 "
            "--reference 0.6,0.3,0.1 --iterations 10 --json",
        ),
    ),
)
