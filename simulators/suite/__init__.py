"""The simulator's leaderboard: all algorithms on all families of games, tuned and held out."""
