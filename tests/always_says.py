"""A real language model that answers every conversation with one text: a judge of known opinion."""

from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, LlamaForCausalLM

from mnpo.training.models.tiny import make_config, make_tokenizer


def save_model_that_says(text: str, folder: Path) -> None:
    """Write a checkpoint of a few megabytes.

    The text is one token of its own. Attention and MLPs add nothing, so the next token depends on
    the last one alone: after the assistant's mark the text, after the text the end.
    """
    tokenizer = make_tokenizer()
    tokenizer.add_tokens([text])
    (says,) = tokenizer(text, add_special_tokens=False)["input_ids"]
    begins = tokenizer.convert_tokens_to_ids("<|assistant|>")
    config = make_config(tokenizer)
    config.tie_word_embeddings = False
    config.max_position_embeddings = 8192
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        embedding = model.model.embed_tokens.weight.normal_()
        model.lm_head.weight.zero_()
        model.lm_head.weight[says] = embedding[begins]
        model.lm_head.weight[tokenizer.eos_token_id] = embedding[says]
    make: Any = GenerationConfig
    model.generation_config = make(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    tokenizer.model_max_length = 8192
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
