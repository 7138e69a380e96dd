"""The rows of MNPO's Table 1 with a squared distance: IPO, INPO, SPPO, Distill-DPO."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import SAME, conclude, exact, largest_difference
from leaderboards.claims.games import known_games, skewed
from leaderboards.claims.minimise import gaps, labelled, minimise, policy, product, tensor, weighted
from simulators.dynamics.simulation import simulate
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game

Array = NDArray[np.float64]

SOURCE = "MNPO, arXiv 2509.23102, Table 1 in Eq. 17"
#: INPO's own parameters: eta is an inverse step.
ETA, TAU = 4.0, 0.3
STEP = 0.7


def row_ipo(
    effort: Effort, *, target: Callable[[float], float] = lambda tau: 1 / (2 * tau)
) -> Finding:
    """Squared distance to 1/(2 tau), the reference as the opponent and the pair sampler."""
    from mnpo.losses import squared_pair_loss

    differences = {}
    for name, game in _games(effort).items():
        ref = skewed(game.size)
        loss = labelled(
            squared_pair_loss, product(ref), game.preferences, step_size=2 * target(TAU)
        )
        found = policy(np.log(ref), minimise(loss, game.size))
        own = simulate(game, "ipo", temperature=TAU, reference=ref, iterations=1).last
        differences[name] = largest_difference(found, own)
    worst = max(differences.values())
    return conclude(
        {"pairs come from the reference": worst < SAME},
        quantity="largest difference of probabilities from IPO's policy",
        number=exact(worst, len(differences)),
        details=differences,
    )


def row_inpo(
    effort: Effort,
    *,
    target: Callable[[float, float], float] = lambda eta, tau: 1 / (2 * tau),
) -> Finding:
    """Squared distance to 1/(2 tau), anchored on pi_t and the reference: one step, fixed point."""
    steps: list[float] = []
    sound: list[float] = []
    own_point: list[float] = []
    other_point: list[float] = []
    for game in _games(effort).values():
        ref = skewed(game.size)
        start = skewed(game.size, 0.2)
        own = simulate(
            game, "inpo", step_size=1 / ETA, temperature=TAU, reference=ref, initial=start,
            iterations=1,
        ).last  # fmt: skip
        steps.append(largest_difference(_inpo_step(game, ref, start, target(ETA, TAU)), own))
        sound.append(largest_difference(_inpo_step(game, ref, start, 1 / (2 * ETA)), own))
        for temperature, found in ((TAU, own_point), (TAU**2 / ETA, other_point)):
            rest = regularized_equilibrium(game.preferences, temperature, ref)
            moved = _inpo_step(game, ref, rest, target(ETA, TAU))
            found.append(largest_difference(moved, rest))
    return conclude(
        {"a step is taken": max(steps) < SAME, "it rests": max(own_point) < SAME},
        instead={
            "with INPO's own target 1/(2 eta) it is INPO": max(sound) < SAME,
            f"as printed it rests at the equilibrium of temperature tau^2/eta, "
            f"{TAU**2 / ETA:.4g} in place of {TAU:g}": max(other_point) < SAME,
        },
        quantity="largest difference of probabilities from INPO's step",
        number=exact(max(steps), len(steps)),
        details={
            "movement at INPO's equilibrium": max(own_point),
            "movement at the equilibrium of temperature tau^2/eta": max(other_point),
            "difference with the target 1/(2 eta)": max(sound),
            "temperature at which the printed row rests": TAU**2 / ETA,
            "INPO's temperature": TAU,
        },
    )


def row_sppo(effort: Effort, *, factor: float = 1.0) -> Finding:
    """Squared distance of a pair's margin to one response's eta (P(y > pi_t) - 1/2)."""
    from mnpo.losses import squared_target_loss

    shares, wrong, right = [], [], []
    for game in _games(effort).values():
        start = skewed(game.size)
        weights = product(start)
        rates = tensor(game.preferences @ start)
        single = factor * STEP * (rates - 0.5)[:, None].expand(game.size, game.size)
        of_pair = STEP * gaps(rates)
        own = simulate(game, "sppo", step_size=STEP, initial=start, iterations=1).last
        found = []
        for aim in (single, of_pair):
            found.append(minimise(weighted(squared_target_loss, weights, target=aim), game.size))
        shares.append(float(np.ptp(found[0]) / np.ptp(found[1])))
        wrong.append(largest_difference(policy(np.log(start), found[0]), own))
        right.append(largest_difference(policy(np.log(start), found[1]), own))
    return conclude(
        {"the target is of one response, as printed": max(wrong) < SAME},
        instead={
            "it takes half of SPPO's step": abs(float(np.mean(shares)) - 0.5) < SAME,
            "with the pair's target eta (P(y > pi_t) - P(y' > pi_t)) it is SPPO": (
                max(right) < SAME
            ),
        },
        quantity="share of SPPO's step that the row takes",
        number=exact(float(np.mean(shares)), len(shares)),
        details={
            "difference of probabilities as printed": max(wrong),
            "difference with the pair's target": max(right),
        },
    )


def row_distill(effort: Effort, *, targets: tuple[float, ...] = (1.0, 10.0, 100.0)) -> Finding:
    """Squared distance to an infinite target: whether the minimiser has a limit."""
    from mnpo.losses import distill_dpo_loss, squared_pair_loss

    growth, right = [], []
    beta = 0.5
    for game in _games(effort).values():
        ref = skewed(game.size)
        reward = np.linspace(0, 1, game.size)
        spans = []
        for target in targets:
            loss = labelled(squared_pair_loss, product(ref), game.preferences, step_size=2 * target)
            spans.append(float(np.ptp(minimise(loss, game.size, furthest=1e6))))
        growth.append(spans[-1] / spans[-2])
        weights, aim = product(ref), gaps(tensor(reward))
        f = minimise(weighted(distill_dpo_loss, weights, scale=beta, reward_gap=aim), game.size)
        tilted = policy(np.log(ref), reward / beta)
        right.append(largest_difference(policy(np.log(ref), f), tilted))
    slowest = min(growth)
    return conclude(
        {"the target grows without bound, as printed": slowest < 1 + SAME},
        instead={
            "the minimiser grows with the target, to the argmax: there is none": slowest > 2,
            "with the reward gap as the target it is the tilted reference, ref exp(r / beta)": (
                max(right) < SAME
            ),
        },
        quantity="factor by which the log-odds grow when the target grows tenfold",
        number=exact(slowest, len(growth)),
        details={"difference of probabilities with the reward gap as the target": max(right)},
    )


def _inpo_step(game: Game, ref: Array, current: Array, target: float) -> Array:
    from mnpo.losses import squared_pair_loss

    share = TAU / ETA
    anchor = (1 - share) * np.log(current) + share * np.log(ref)
    loss = labelled(squared_pair_loss, product(current), game.preferences, step_size=2 * target)
    return policy(anchor, minimise(loss, game.size))


def _games(effort: Effort) -> dict[str, Game]:
    found = known_games()
    return dict(list(found.items())[:3]) if effort.quick else found


_ROW = (
    "The minimiser of the row's loss over all policies, on known games, and the method's own step."
)

CLAIMS = (
    Claim(
        name="table-1-ipo",
        statement="IPO is Eq. 17 with the reference as the opponent, the squared distance and the "
        "target 1/(2 tau).",
        source=SOURCE,
        test=f"{_ROW} Holds where no probability differs by {SAME:g}.",
        find=row_ipo,
        commands=(
            "simulate --game cyclic --algorithms ipo --mode gradient --iterations 5",
            "simulate --game cyclic --algorithms ipo --iterations 5",
        ),
    ),
    Claim(
        name="table-1-inpo",
        statement="INPO is Eq. 17 with pi_t and the reference as opponents, the squared distance "
        "and the target 1/(2 tau).",
        source=SOURCE,
        test=f"{_ROW} Also whether the row rests at INPO's equilibrium. Holds where no "
        f"probability differs by {SAME:g}.",
        find=row_inpo,
        commands=(
            "simulate --game knob --set game.k=0.2 --algorithms inpo,mnpo --temperature 0.3 "
            "--set inpo.step_size=0.25 --set mnpo.step_size=3.3333333333333335 "
            "--set mnpo.num_players=2 --set mnpo.reference_weight=0.075",
        ),
    ),
    Claim(
        name="table-1-sppo",
        statement="SPPO is Eq. 17 with pi_t as the opponent, the squared distance and the target "
        "eta (P(y > pi_t) - 1/2).",
        source=SOURCE,
        test=f"{_ROW} Holds where no probability differs by {SAME:g}.",
        find=row_sppo,
        commands=("simulate --game cyclic --algorithms sppo,mwu --reference 0.6,0.3,0.1",),
    ),
    Claim(
        name="table-1-distill-dpo",
        statement="Distill-DPO is Eq. 17 with the reference as the opponent, the squared distance "
        "and an infinite target.",
        source=SOURCE,
        test="The minimiser of the row's loss at targets of 1, 10 and 100. Holds if its log-odds "
        "tend to a limit.",
        find=row_distill,
        commands=(
            "simulate --game bradley-terry --algorithms ipo --iterations 2 "
            "--sweep temperature=0.5,0.05,0.005",
        ),
    ),
)
