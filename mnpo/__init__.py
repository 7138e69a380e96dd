"""mnpo-bench: a benchmark suite for game-theoretic preference optimisation."""

__version__ = "0.1.0"
