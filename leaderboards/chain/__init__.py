"""From a recipe to a leaderboard: training, evaluation and board in one run directory."""
