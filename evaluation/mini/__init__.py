"""The project's own mini-benchmark: 40 short questions, compared pairwise with own answers."""
