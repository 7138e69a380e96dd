"""The online loop (MNPO's Algorithms 1 and 2): sample, ask, pair, score, train, checkpoint."""
