"""LLMBar (Zeng et al. 2023, arXiv:2310.07641): how often a judge finds the better of two answers.

A benchmark of judges: of each pair, one answer follows the instruction and the other does not.
"""
