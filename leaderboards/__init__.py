"""Ratings and rendered leaderboards. Nothing lives here yet."""
