"""The embedded model: a language model of half a million weights, made on the spot.

It speaks about soup and rain in a few hundred words (see `mnpo.training.data.embedded`), so that a
whole training run fits into a minute on one core and into a test, with nothing to download.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from mnpo.training.data.embedded import embedded_answers
from mnpo.training.data.encoding import encode_prompt, encode_response

PAD, END = "<|pad|>", "<|end|>"
VOCABULARY = 640
CONTEXT = 512
#: Answers a training prompt in the pre-training text, and passes over it.
ANSWERS, EPOCHS, BATCH, LEARNING_RATE = 16, 5, 32, 6e-3

#: A mark for each role, the text, and one mark for the end of every turn.
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def make_tiny(seed: int = 0) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Train the tokenizer and the model; the same seed gives the same weights on one machine.

    Takes about half a minute on one core, and leaves the global random state as it was.
    """
    tokenizer = make_tokenizer()
    threads = torch.get_num_threads()
    # One thread: with several, the order of summation, and so the weights, depends on their number.
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = LlamaForCausalLM(make_config(tokenizer))
            _pretrain(model, tokenizer)
    finally:
        torch.set_num_threads(threads)
    make: Any = GenerationConfig
    model.generation_config = make(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=48,
    )
    return model, tokenizer


def make_tokenizer(vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """Byte-level BPE trained on the embedded text: every text can be written in it."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    roles = ["<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, *roles],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = (text for prompt, answer in embedded_answers(4) for text in (prompt.text, answer))
    backend.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerFast = make(
        tokenizer_object=backend,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=roles,
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """A Llama of about 0.6 million weights with tied embeddings."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _pretrain(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Next-token prediction on the answers, AdamW with a cosine schedule."""
    rows = [
        (prompt_ids, encode_response(tokenizer, prompt, text))
        for prompt, text in embedded_answers(ANSWERS)
        for prompt_ids in (encode_prompt(tokenizer, prompt),)
    ]
    steps = EPOCHS * math.ceil(len(rows) / BATCH)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps)),
    )
    model.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows)).tolist()
        # Rows of one length stand together, so that little is padded; the batches stay shuffled.
        order.sort(key=lambda i: sum(map(len, rows[i])))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        for number in torch.randperm(len(batches)).tolist():
            batch = _collate([rows[i] for i in batches[number]], int(tokenizer.pad_token_id))
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    model.train(False)


def _collate(rows: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], pad: int) -> dict[str, Any]:
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), -100)
    for row, (prompt, answer) in enumerate(rows):
        ids[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    return {"input_ids": ids, "labels": labels}  # padding stands right: causal rows do not see it
