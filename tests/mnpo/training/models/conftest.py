"""A random model of the embedded kind, and a saved one."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from mnpo.training.models.card import ModelCard
from mnpo.training.models.saving import save_policy
from mnpo.training.models.tiny import make_tokenizer

CARD = ModelCard(title="A test", algorithm="none", base_model="none")


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer(300)


def small_model(tokenizer, *, tied: bool = True, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def make_model(tokenizer):
    """A function: tied and seed -> a random model."""
    return lambda **choices: small_model(tokenizer, **choices)


@pytest.fixture
def saved(tokenizer, make_model, tmp_path):
    """A checkpoint on disk."""
    return save_policy(make_model(), tokenizer, tmp_path / "policy", CARD)


@pytest.fixture
def card():
    return CARD
