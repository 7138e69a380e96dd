"""What the multiplayer equations reduce to: two players, equal players, the history form."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import SAME, conclude, exact, largest_difference
from leaderboards.claims.games import known_games, random_policies, skewed
from simulators.dynamics.simulation import simulate
from simulators.games import Game

Array = NDArray[np.float64]

_MNPO = "MNPO, arXiv 2509.23102"


def two_player_reduction(
    effort: Effort, *, step_size: float = 0.3, other_step_size: float | None = None
) -> Finding:
    """Eq. 10 at n = 2 against each player's own mirror descent, from equal and unequal starts."""
    iterations = 20 if effort.quick else 60
    own = step_size if other_step_size is None else other_step_size
    equal, apart, swapped = [], [], []
    for index, game in enumerate(known_games().values()):
        starts = random_policies(effort.seed + index, 2, game.size)
        run = partial(_policies, game, iterations=iterations)
        chains = [run("mwu", initial=start, step_size=own) for start in starts]
        same = run("mnpo-eq10", initial=starts[[0, 0]], step_size=step_size, num_players=2)
        pair = run("mnpo-eq10", initial=starts, step_size=step_size, num_players=2)
        equal.append(largest_difference(same, chains[0][:, None]))
        apart.append(max(largest_difference(pair[:, i], chains[i]) for i in (0, 1)))
        turns = np.arange(iterations + 1) % 2
        crossed = [np.where(turns[:, None] == 1 - i, chains[1], chains[0]) for i in (0, 1)]
        swapped.append(max(largest_difference(pair[:, i], crossed[i]) for i in (0, 1)))
    return conclude(
        {
            "the two policies are equal at the start": max(equal) < SAME,
            "they differ": max(apart) < SAME,
        },
        instead={
            "different policies are two chains of multiplicative weights that swap places every "
            "step": max(swapped) < SAME
        },
        quantity="largest difference of probabilities from the player's own mirror descent, "
        "different policies",
        number=exact(max(apart), len(apart)),
        details={
            "the same, equal policies": max(equal),
            "difference from two chains that swap places": max(swapped),
            "step size": step_size,
            "iterations": iterations,
        },
    )


def players_reduction(
    effort: Effort, *, step_size: float = 0.3, other_step_size: float | None = None
) -> Finding:
    """Eq. 10 with n equal players against MWU."""
    iterations = 20 if effort.quick else 60
    counts = (2, 3, 5) if effort.quick else (2, 3, 5, 8)
    own = step_size if other_step_size is None else other_step_size
    moved: dict[int, float] = {}
    for count in counts:
        found = []
        for game in known_games().values():
            start = skewed(game.size)
            run = partial(_policies, game, iterations=iterations, initial=start)
            chain = run("mwu", step_size=own)
            many = run("mnpo-eq10", step_size=step_size, num_players=count)
            found.append(largest_difference(many, chain[:, None]))
        moved[count] = max(found)
    worst = max(moved.values())
    return conclude(
        {"the number of players matters": worst > SAME},
        instead={
            "equal players stay equal, and each is multiplicative weights, for every n": (
                worst < SAME
            )
        },
        quantity="largest difference of probabilities from multiplicative weights, any n",
        number=exact(worst, len(moved)),
        details={f"n = {count}": value for count, value in moved.items()},
    )


def history_reduction(effort: Effort, *, other_temperature: float | None = None) -> Finding:
    """TD-MNPO at n = 2 against INPO."""
    iterations = 20 if effort.quick else 60
    tau = 0.1
    differences = {}
    for name, game in known_games().items():
        run = partial(_policies, game, iterations=iterations, reference=skewed(game.size))
        two = run("mnpo", num_players=2, temperature=tau)
        single = run("inpo", temperature=other_temperature or tau)
        differences[name] = largest_difference(two, single)
    worst = max(differences.values())
    return conclude(
        {"the reference has the weight alpha tau": worst < SAME},
        quantity="largest difference of probabilities between TD-MNPO at n = 2 and INPO",
        number=exact(worst, len(differences)),
        details=differences,
    )


def _policies(game: Game, algorithm: str, **settings: Any) -> Array:
    """(T + 1, K), or (T + 1, players, K)."""
    return simulate(game, algorithm, **settings).policies


CLAIMS = (
    Claim(
        name="two-player-reduction",
        statement="With two players, Eq. 10 is two-player Nash learning: each player takes a "
        "mirror-descent step from its own policy.",
        source=f"{_MNPO}, Eq. 10",
        test="Trajectories of Eq. 10 at n = 2 and of each player's own multiplicative weights on "
        f"six games. Holds where no probability differs by {SAME:g}.",
        find=two_player_reduction,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10,mwu --set mnpo-eq10.num_players=2 "
            "--reference 0.6,0.3,0.1",
        ),
    ),
    Claim(
        name="player-count",
        statement="In Eq. 10 more players make another, richer dynamics.",
        source=f"{_MNPO}, Eq. 10 and section 3",
        test="Trajectories of n = 2 ... 8 players that start equal, as they do from one reference. "
        f"Holds where a probability differs from multiplicative weights' by more than {SAME:g}.",
        find=players_reduction,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10,mwu --set mnpo-eq10.num_players=5 "
            "--reference 0.6,0.3,0.1",
        ),
    ),
    Claim(
        name="history-of-one-is-inpo",
        statement="TD-MNPO with two players, the current policy and the reference, is INPO.",
        source=f"{_MNPO}, Eq. 17 and Table 1",
        test="Trajectories of both on six games with w = alpha tau. Holds where no probability "
        f"differs by {SAME:g}.",
        find=history_reduction,
        commands=(
            "simulate --game cyclic --algorithms mnpo,inpo --set mnpo.num_players=2 "
            "--reference 0.6,0.3,0.1",
        ),
    ),
)
