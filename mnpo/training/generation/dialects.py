"""What different OpenAI-compatible servers accept, so that they sample from the policy itself.

The fields that OpenAI documents do not say "no top-k, no penalty, and do sample"; each family of
servers has its own words for that, and refuses or ignores the others'.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenContract


@dataclass(frozen=True)
class Dialect:
    """A form of the request to ``/v1/completions``.

    Attributes:
        name: servers that understand it.
        prompt_ids: the prompt goes as ids; else as text, which the server tokenizes.
        extra: fields beside the documented ones. They switch off whatever bends the policy:
            penalties, truncation, and defaults from the model's generation_config.json.
        knows_top_k: whether ``sampling.top_k`` is among them.
    """

    name: str
    prompt_ids: bool
    extra: Callable[[SamplingSettings, TokenContract], dict[str, Any]]
    knows_top_k: bool = True


def _ids_and_plain_fields(settings: SamplingSettings, contract: TokenContract) -> dict[str, Any]:
    return {
        "top_k": settings.top_k,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "stop_token_ids": list(contract.end_ids),
    }


def _generation_config(settings: SamplingSettings, contract: TokenContract) -> dict[str, Any]:
    # in place of the model's own, under which this server is greedy at any temperature
    generation = {
        "do_sample": True,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "eos_token_id": list(contract.end_ids),
        "pad_token_id": contract.pad_id,
    }
    return {"generation_config": json.dumps(generation)}


def _nothing(settings: SamplingSettings, contract: TokenContract) -> dict[str, Any]:
    return {}


#: The first needs no tokenizer on the server and is tried first.
IDS = Dialect("vLLM, SGLang, llama.cpp", prompt_ids=True, extra=_ids_and_plain_fields)
TRANSFORMERS = Dialect("transformers serve", prompt_ids=False, extra=_generation_config)
PLAIN = Dialect("documented fields only", prompt_ids=False, extra=_nothing, knows_top_k=False)


def candidates(settings: SamplingSettings) -> tuple[Dialect, ...]:
    """The forms worth trying, best first."""
    if settings.server is not None and settings.server.token_ids == "returned":
        return (IDS,)
    return tuple(d for d in (IDS, TRANSFORMERS, PLAIN) if d.knows_top_k or settings.top_k == 0)
