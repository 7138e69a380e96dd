"""A chain on the embedded model that takes seconds: two methods, one iteration, three questions."""

import copy
from typing import Any

from mnpo.training.recipe import Recipe
from mnpo.training.recipes import load_recipe

#: As options of the command line.
SETTINGS = {
    "methods": {"inpo": {}, "dpo": {"temperature": 0.1}},
    "budget.iterations": 1,
    "budget.prompts": 8,
    "budget.epochs": 1,
    "data.held_out_size": 4,
    "sampling.max_new_tokens": 8,
    "evaluation.limit": 3,
    "evaluation.answers.max_new_tokens": 8,
}


def small_chain(**changes: Any) -> Recipe:
    """The recipe; keys with dots are written with two underscores."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return load_recipe("tiny", copy.deepcopy(SETTINGS | dotted))
