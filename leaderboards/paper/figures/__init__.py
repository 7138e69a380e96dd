"""What papers print, digit for digit: one YAML file a paper (see `leaderboards.paper.printed`)."""
