"""MT-Bench (Zheng et al. 2023, arXiv:2306.05685): eighty questions of two turns, rated by a judge.

`benchmark` asks a judge, `scoring` and `pairwise` read what one has said, in FastChat's formats.
"""
