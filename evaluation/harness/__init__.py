"""lm-eval: the paper's suite on a model, resumable, and stored outputs scored offline."""
