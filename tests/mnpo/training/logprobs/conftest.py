"""Tiny models of several families, and the plain way to their log-probs."""

import functools

import pytest
import torch
from transformers import AutoModelForCausalLM as Auto
from transformers import (
    CohereConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)

VOCABULARY = 37
_SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
_CONFIGS = {
    "llama": lambda: LlamaConfig(**_SMALL, tie_word_embeddings=True),
    "qwen2": lambda: Qwen2Config(
        **_SMALL, use_sliding_window=True, sliding_window=3, max_window_layers=1
    ),
    "gemma2": lambda: Gemma2Config(
        **_SMALL,
        head_dim=4,
        query_pre_attn_scalar=4,
        sliding_window=3,
        attn_logit_softcapping=4.0,
        final_logit_softcapping=2.0,
    ),
    "mistral": lambda: MistralConfig(**_SMALL, sliding_window=3),
    "cohere": lambda: CohereConfig(**_SMALL, logit_scale=0.3),
    "granite": lambda: GraniteConfig(**_SMALL, logits_scaling=3.0),
    "gpt2": lambda: GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=16,
        n_layer=2,
        n_head=4,
        n_positions=64,
        resid_pdrop=0.0,
        attn_pdrop=0.0,
        embd_pdrop=0.0,
    ),
    "neox": lambda: GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
    ),
}


def make_model(family, dtype=torch.float64, attention=None, seed=0, positions=64):
    attention = attention or ("eager" if family == "gemma2" else "sdpa")
    config = _CONFIGS[family]()
    config.max_position_embeddings = positions
    model = Auto.from_config(config, attn_implementation=attention, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            # Large enough that attention, windows and caps all matter.
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            start = parameter if parameter.ndim == 1 else 0.0  # norms start at their neutral value
            parameter.copy_(start + 0.4 * drawn.to(dtype))
    if dtype == torch.float64:
        for module in model.modules():
            if type(module).__name__.endswith("RMSNorm"):
                module.forward = functools.partial(_exact_norm, module)
    return model


def _exact_norm(norm, hidden):
    """transformers' norms compute in float32 whatever the model's precision."""
    if hidden.dtype != torch.float64:
        return type(norm).forward(norm, hidden)
    eps, shift = (norm.eps, 1) if "Gemma" in type(norm).__name__ else (norm.variance_epsilon, 0)
    return (
        hidden * torch.rsqrt(hidden.square().mean(-1, keepdim=True) + eps) * (norm.weight + shift)
    )


def plain_log_probs(model, groups, responses):
    """(B, K): every prompt with every response alone, all logits, full log-softmax."""
    rows = []
    for prompt, answers in groups:
        sums = []
        for answer in answers:
            logits = model(torch.tensor([[*prompt, *answer]]), use_cache=False).logits[0]
            logits = logits if logits.dtype == torch.float64 else logits.float()
            log_probs = logits.log_softmax(-1)
            steps = range(len(answer))
            sums.append(sum(log_probs[len(prompt) - 1 + t, answer[t]] for t in steps))
        rows.append(torch.stack(sums + [torch.zeros_like(sums[0])] * (responses - len(sums))))
    return torch.stack(rows)


def make_groups(shape, seed=0):
    """Groups with given lengths: ((prompt, (response, ...)), ...)."""
    generator = torch.Generator().manual_seed(seed)

    def ids(length):
        return tuple(torch.randint(VOCABULARY, (length,), generator=generator).tolist())

    return [(ids(prompt), tuple(ids(length) for length in answers)) for prompt, answers in shape]


@pytest.fixture(scope="session")
def tiny():
    return make_model


@pytest.fixture(scope="session")
def plain():
    return plain_log_probs


@pytest.fixture(scope="session")
def groups_of():
    return make_groups


@pytest.fixture
def exact_softmax(monkeypatch):
    """transformers' eager attention takes its softmax in float32, which hides the 11th digit."""
    softmax = torch.nn.functional.softmax
    monkeypatch.setattr(
        torch.nn.functional, "softmax", lambda x, dim=None, dtype=None: softmax(x, dim=dim)
    )
