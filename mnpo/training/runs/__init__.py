"""Whole runs: many methods and seeds in one run directory, planned, resumed and exported."""
