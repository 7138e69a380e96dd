"""Scores of outputs that others stored, without a model."""
