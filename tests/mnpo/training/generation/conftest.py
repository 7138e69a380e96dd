"""Policies small enough to enumerate, without a tokenizer."""

from collections.abc import Callable

import pytest

from mnpo.training.models.policy import PolicyCheckpoint
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


@pytest.fixture(scope="session")
def letters_checkpoint(tmp_path_factory):
    """A random llama on disk over letters, one token each, so that text fixes the ids."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["</s>", "<end>", *"abcdefghijklmnop:"]
    core = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="</s>",
        pad_token="</s>",
        additional_special_tokens=["<end>"],
    )
    tokenizer.chat_template = "{% for m in messages %}:{{ m['content'] }}<end>{% endfor %}:"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(words),
                hidden_size=64,  # heads of 32: the smallest that vLLM has kernels for
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=256,
                initializer_range=0.12,
                bos_token_id=None,
                eos_token_id=0,
            )
        )
    model.generation_config.eos_token_id = [0, 1]
    model.generation_config.pad_token_id = 0
    path = tmp_path_factory.mktemp("policies") / "letters"
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return PolicyCheckpoint(path, "letters")
