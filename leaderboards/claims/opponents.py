"""Single-opponent bias: what a fixed opponent leaves exploitable, and what a pool of them adds."""

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, mean_interval, paired_difference
from leaderboards.claims.claim import Claim, Detail, Effort, Finding
from leaderboards.claims.decide import conclude
from leaderboards.claims.games import SKEWED, blend, random_policies, skewed
from leaderboards.claims.tuning import above, below
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game, make_game
from simulators.metrics.gaps import duality_gap

Array = NDArray[np.float64]

_MNPO = "MNPO, arXiv 2509.23102"
OFFLINE_TAU, POOL_TAU = 0.03, 0.1
POOLS = (1, 2, 4, 8, 32, 128)
#: A bias below this much win probability is none.
NEGLIGIBLE = 0.01


def single_opponent(effort: Effort, *, online: bool = False) -> Finding:
    """Offline IPO's gap less that of the regularised equilibrium at the same temperature.

    Args:
        effort: four times ``seeds`` games a family.
        online: draw the "offline" pairs from the current policy, to test the test.
    """
    details: dict[str, Detail] = {}
    found: dict[str, Interval] = {}
    for name, cyclic in (("transitive", 0.0), ("half cyclic", 0.5), ("cyclic", 1.0)):
        games = [blend(cyclic, effort.seed + i) for i in range(4 * effort.seeds)]
        offline, rest, current = _gaps_of_bias(games, online)
        found[name] = paired_difference(offline, rest)
        found[f"self-play, {name}"] = paired_difference(current, rest)
        details[f"gap, {name}, fixed opponent"] = float(offline.mean())
        details[f"gap, {name}, regularised equilibrium"] = float(rest.mean())
        details[f"difference, {name}"] = found[name]
        details[f"difference, {name}, self-play"] = found[f"self-play, {name}"]
    for name, (offline_gap, rest_gap) in bias_of_known_games().items():
        details[f"gap, {name}, fixed opponent"] = offline_gap
        details[f"gap, {name}, regularised equilibrium"] = rest_gap
    return conclude(
        {
            "the opponent is fixed and preferences are cyclic": all(
                above(found[name], NEGLIGIBLE) for name in ("cyclic", "half cyclic")
            ),
            "the opponent is fixed and preferences are transitive": above(
                found["transitive"], NEGLIGIBLE
            ),
            "the single opponent is the current policy (self-play)": any(
                above(found[f"self-play, {name}"], NEGLIGIBLE)
                for name in ("transitive", "half cyclic", "cyclic")
            ),
        },
        quantity="difference of duality gaps, fixed opponent less equilibrium, cyclic games",
        number=found["cyclic"],
        details=details,
        repetitions=effort.seeds,
    )


def bias_of_known_games() -> dict[str, tuple[float, float]]:
    """Gap of offline IPO and of the regularised equilibrium, by game."""
    games = {
        "rock-paper-scissors": make_game("cyclic"),
        "seven-cycle": make_game("cyclic", actions=7),
        "Condorcet cycle": make_game("condorcet"),
        "knob 0.8": make_game("knob", k=0.8),
        "knob 0.2": make_game("knob", k=0.2),
        "Bradley-Terry": make_game("bradley-terry"),
    }
    gaps = {}
    for name, game in games.items():
        ref = SKEWED if game.size == 3 else skewed(game.size)
        run = simulate_batch(
            game, Settings("ipo", temperature=OFFLINE_TAU, reference=ref, iterations=1)
        )
        rest = regularized_equilibrium(game.preferences, OFFLINE_TAU, ref)
        gaps[name] = (
            float(run.series("gap")[-1, 0]),
            float(duality_gap(game.preferences, rest)),
        )
    return gaps


def _gaps_of_bias(games: list[Game], online: bool) -> tuple[Array, Array, Array]:
    """(G,) gaps of offline IPO, of the regularised equilibrium, and of EGPO's last policy."""
    ref = skewed(games[0].size)
    fixed = Settings("ipo", temperature=OFFLINE_TAU, reference=ref, iterations=1)
    playing_itself = Settings(
        "egpo", step_size=1.0, temperature=OFFLINE_TAU, reference=ref, iterations=1000
    )
    P = np.stack([game.preferences for game in games])
    rest = regularized_equilibrium(P, OFFLINE_TAU, ref)
    current = simulate_batch(games, playing_itself).series("gap")[-1]
    offline = current if online else simulate_batch(games, fixed).series("gap")[-1]
    return offline, np.asarray(duality_gap(P, rest)), current


def opponent_pool(effort: Effort, *, fixed: bool = True) -> Finding:
    """EO-MNPO against pools of random external policies, and self-play around the same anchor.

    Args:
        effort: four times ``seeds`` cyclic games.
        fixed: the opponents are the pool; False lets the method play itself, to test the test.
    """
    games = [blend(1.0, effort.seed + i) for i in range(4 * effort.seeds)]
    details: dict[str, Detail] = {}
    pools = {size: _pool_gaps(games, size, effort.seed, fixed) for size in POOLS}
    for size, (against, alone) in pools.items():
        details[f"gap, pool of {size}"] = float(against.mean())
        details[f"gap, self-play around the pool of {size}"] = float(alone.mean())
    largest = paired_difference(pools[POOLS[-1]][0], pools[1][0])
    worse = {size: paired_difference(against, alone) for size, (against, alone) in pools.items()}
    for size, found in worse.items():
        details[f"difference to self-play, pool of {size}"] = found
    rps = rps_pools(16 * effort.seeds, effort.seed)
    for size, gap in rps.items():
        details[f"gap, rock-paper-scissors, pool of {size}"] = gap
    return conclude(
        {
            "it is compared with a smaller pool": below(largest),
            "it is compared with self-play around the same anchor": all(
                below(found) for found in worse.values()
            ),
        },
        instead={
            "self-play is less exploitable than a pool of any size tested": all(
                above(found) for found in worse.values()
            )
        },
        quantity="difference of duality gaps, largest pool less self-play around the same anchor",
        number=worse[POOLS[-1]],
        details=details,
        repetitions=effort.seeds,
    )


def _pool_gaps(games: list[Game], size: int, seed: int, fixed: bool) -> tuple[Array, Array]:
    """(G,) gap against a pool that is also the anchor, and of self-play around that anchor."""
    against, anchors = [], []
    for index, game in enumerate(games):
        pool = random_policies(seed + 10_000 * size + index, size, game.size)
        anchor = np.log(pool).mean(axis=0)
        anchors.append(np.exp(anchor - anchor.max()) / np.exp(anchor - anchor.max()).sum())
        logits = anchor + game.preferences @ pool.mean(axis=0) / POOL_TAU
        weights = np.exp(logits - logits.max())
        against.append(weights / weights.sum())
    P = np.stack([game.preferences for game in games])
    alone = regularized_equilibrium(P, POOL_TAU, np.stack(anchors))
    played = np.stack(against) if fixed else alone
    return np.asarray(duality_gap(P, played)), np.asarray(duality_gap(P, alone))


def rps_pools(count: int, seed: int) -> dict[int, Interval]:
    """Mean gap on rock, paper, scissors over random pools, by their size."""
    games = [make_game("cyclic")] * count
    return {size: mean_interval(_pool_gaps(games, size, seed, True)[0]) for size in POOLS}


CLAIMS = (
    Claim(
        name="single-opponent-bias",
        statement="Learning against a single opponent leaves a policy that others exploit.",
        source=f"{_MNPO}, introduction (single-opponent bias)",
        test="Duality gap of offline IPO less that of the regularised equilibrium at tau = 0.03, "
        "random games by family, and the same for self-play (EGPO). A bias is there if the "
        f"interval of the difference lies above {NEGLIGIBLE:g}.",
        find=single_opponent,
        commands=(
            "simulate --game cyclic --algorithms ipo,egpo --temperature 0.03 "
            "--reference 0.6,0.3,0.1",
            "simulate --game bradley-terry --algorithms ipo,egpo --temperature 0.03",
        ),
    ),
    Claim(
        name="opponent-pool",
        statement="A population of diverse opponents makes a policy less exploitable.",
        source=f"{_MNPO}, Eq. 20 (EO-MNPO) and introduction",
        test="One step of EO-MNPO (step 1/tau, tau = 0.1) against 1 to 128 random policies that "
        "are also its anchors, on random cyclic games, and self-play around the same anchors. "
        "Holds where the interval of the paired difference of duality gaps lies below zero.",
        find=opponent_pool,
        commands=(
            "simulate --game cyclic --algorithms eo-mnpo,inpo --iterations 20 "
            "--set eo-mnpo.advantage=externals --set 'eo-mnpo.external_weights=[1,1]' "
            "--set 'externals=[[0.6,0.3,0.1],[0.2,0.3,0.5]]' --set eo-mnpo.step_size=10",
        ),
    ),
)
