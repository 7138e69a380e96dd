"""What a pool's game says of each policy: the one place where cross-plays are summed up."""

from dataclasses import dataclass

from evaluation.pool.intervals import pool_intervals
from evaluation.statistics import Interval
from evaluation.winmatrix import PoolGame, WinMatrix, solve_pool


@dataclass(frozen=True)
class Standing:
    """How one policy stands in its pool.

    Attributes:
        against_pool: mean win rate against every other policy; None where no prompt has them all.
        worst_opponent: who beats it most often, in this sample.
        against_worst: win rate against the worst opponent; that it was picked for being the worst
            is in the interval.
        exploitability: highest win rate of any policy against it, minus 1/2; at least 0.
        nash: its share in the Nash average.
        nash_win_rate: its win rate against the Nash average.
    """

    against_pool: Interval | None
    worst_opponent: str
    against_worst: Interval
    exploitability: Interval
    nash: Interval
    nash_win_rate: Interval


@dataclass(frozen=True, eq=False)
class PoolStandings:
    """A pool, solved.

    Attributes:
        game: of the mean win matrix, as measured.
        standings: of the policies, in the order of the win matrix.
        cyclic_share: freed of what noise adds; ``game.cyclic_share`` is the uncorrected one.
    """

    game: PoolGame
    standings: tuple[Standing, ...]
    cyclic_share: Interval


def pool_standings(wins: WinMatrix, *, seed: int = 0) -> PoolStandings:
    """Sum up a complete win matrix; prompts are the clusters of all intervals.

    Args:
        wins: every pair measured on some prompt.
        seed: of the bootstrap.

    Raises:
        InvalidSetting: a pair was not measured.
    """
    found = pool_intervals(wins, seed=seed)
    return PoolStandings(
        game=solve_pool(wins.mean),
        standings=tuple(
            Standing(
                against_pool=wins.against_pool(name) if wins.shares_prompts(name) else None,
                worst_opponent=wins.worst_opponent(name),
                against_worst=found.worst_opponent[row],
                exploitability=found.exploitability[row],
                nash=found.nash[row],
                nash_win_rate=found.nash_win_rate[row],
            )
            for row, name in enumerate(wins.names)
        ),
        cyclic_share=found.cyclic_share,
    )
