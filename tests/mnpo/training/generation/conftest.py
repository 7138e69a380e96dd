"""Policies small enough to enumerate, without a tokenizer."""

from collections.abc import Callable

import pytest

from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenContract

VOCABULARY = 8


@pytest.fixture(scope="session")
def random_policy():
    """Makes a random llama of ``VOCABULARY`` tokens in float64, sharp enough to be no coin toss."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def make(seed: int, vocabulary: int = VOCABULARY) -> LlamaForCausalLM:
        config = LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=64,
            initializer_range=0.6,
            bos_token_id=0,
            eos_token_id=1,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return LlamaForCausalLM(config).double().eval()

    return make


@pytest.fixture(scope="session")
def contract() -> TokenContract:
    return TokenContract(tokenizer="t", template="c", end_ids=(1, 2), pad_id=0)


@pytest.fixture
def settings() -> Callable[..., SamplingSettings]:
    def make(**values) -> SamplingSettings:
        return SamplingSettings.model_validate({"max_new_tokens": 3, **values})

    return make
