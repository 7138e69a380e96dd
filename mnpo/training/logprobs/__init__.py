"""Summed completion log-probs with shared prompts, and the store that keeps them.

`packing` lays several groups out in one row, every prompt once; `attention` says who sees whom in
it; `head` turns hidden states into log-probs without holding all logits; `forward` lets a model's
own forward end there; `scoring` sums over responses; `store` keeps what was computed.
"""
