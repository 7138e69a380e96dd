"""Cross-play of a pool of models: all answers against all, and the game that they make."""
