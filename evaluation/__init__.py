"""Benchmarks of language models: judges, statistics and scores. Nothing lives here yet."""
