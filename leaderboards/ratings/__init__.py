"""Ratings of players from the games they played, each with an interval."""

from leaderboards.ratings.games import Games, games_of_counts, games_of_prompts, games_of_rates
from leaderboards.ratings.pool import compare, make_method_pool, make_pool
from leaderboards.ratings.ranks import rank_groups

__all__ = [
    "Games",
    "compare",
    "games_of_counts",
    "games_of_prompts",
    "games_of_rates",
    "make_method_pool",
    "make_pool",
    "rank_groups",
]
