"""Arena-Hard v0.1 and v2.0: judging, both official formulas, and intervals that know clusters."""
