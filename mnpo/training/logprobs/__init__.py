"""Summed completion log-probs with shared prompts, and the store that keeps them."""
