"""A recipe that trains in a second: a random model of a few thousand weights, short answers."""

import json
from pathlib import Path
from typing import Any

import yaml

WORDS = [f"w{i}" for i in range(24)]
PROMPTS = [f"w{i} w{j}" for i in range(4) for j in range(6)]


def make_model(folder: Path, seed: int = 0) -> Path:
    """Save a model that says random words and ends after a few of them."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = ["<pad>", "<eos>", "<user>", "<answer>", *WORDS]
    raw = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<pad>")
    )
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'user' %}<user> {{ m.content }} <answer> "
        "{% else %}{{ m.content }} <eos> {% endif %}{% endfor %}"
    )
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32,
        pad_token_id=0, eos_token_id=1, bos_token_id=None, initializer_range=0.3,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.generation_config.pad_token_id, model.generation_config.eos_token_id = 0, 1
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def small_values(folder: Path, **changes: Any) -> dict[str, Any]:
    """The recipe's keys and values; model and prompts are written below ``folder``."""
    if not (folder / "model").is_dir():
        make_model(folder / "model")
        rows = [{"prompt": text} for text in PROMPTS]
        (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "recipe": "small",
        "model": {"name": str(folder / "model")},
        "data": {"prompts": [str(folder / "prompts.jsonl")], "held_out_size": 4},
        "sampling": {"responses": 3, "max_new_tokens": 6, "batch_size": 8},
        "oracle": {"kind": "rule", "rule": "brevity", "target": 3, "scale": 1},
        "annotators": [
            {"kind": "rule", "rule": "brevity", "target": 2, "scale": 1},
            {"kind": "rule", "rule": "brevity", "target": 4, "scale": 1},
        ],
        "budget": {"iterations": 2, "prompts": 8},
        "optimizer": {"learning_rate": 0.01, "batch_size": 4},
        "method_defaults": {"step_size": 4, "temperature": 0.05},
        "methods": {"inpo": {}, "dpo": {"temperature": 0.2}, "ht-mnpo": {}},
    } | changes


def write_recipe(folder: Path, **changes: Any) -> Path:
    """The recipe as a file."""
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(small_values(folder, **changes), sort_keys=False))
    return file
