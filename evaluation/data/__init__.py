"""Benchmark data: where it officially is, what it must hash to, and where it lies on this disk."""
