"""Ratings of players from the games they played, each with an interval."""
