"""What reward models and pair models share: finding, rendering, length-sorted batches."""

from collections.abc import Iterator, Sequence

import jinja2
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.runs import digest, sha256_file
from mnpo.training.data.prompts import Prompt
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.resolve import resolve
from mnpo.training.models.settings import ModelSettings
from mnpo.training.oracles.base import OracleFailure, excerpt
from mnpo.training.oracles.settings import PairModelSettings, RewardModelSettings

#: One input as the tokenizer made it: input_ids, attention_mask and, of some, token_type_ids.
Features = dict[str, list[int]]


def find_model(settings: RewardModelSettings | PairModelSettings) -> PolicyCheckpoint:
    """The model's folder, downloaded if it is a hub id; safetensors only.

    Raises:
        UserError: it is not there, or its weights are pickled.
    """
    return resolve(
        ModelSettings(
            name=settings.model,
            revision=settings.revision,
            trust_remote_code=settings.trust_remote_code,
        )
    )


def fingerprint(checkpoint: PolicyCheckpoint) -> dict[str, str]:
    """JSON-ready: hash of the weights, and of the tokenizer, template, code and configuration."""
    suffixes = {".json", ".jinja", ".model", ".txt", ".py"}
    files = [path for path in checkpoint.path.iterdir() if path.suffix in suffixes]
    return {
        "weights": checkpoint.sha256,
        "files": digest({path.name: sha256_file(path) for path in files}),
    }


def encode_chat(
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    messages: Sequence[Message],
    *,
    generation_prompt: bool,
) -> Features:
    """A conversation under the tokenizer's chat template.

    The template writes all special tokens, so the tokenizer adds none: no second BOS.

    Raises:
        InvalidSetting: there is no chat template.
        OracleFailure: the template refuses this conversation.
    """
    if tokenizer.chat_template is None:
        raise InvalidSetting(
            f"{tokenizer.name_or_path}: has no chat template; a reward-model can read text pairs "
            "(reads: pair), a pair-model plain text (chat: false)"
        )
    turns = [{"role": m.role, "content": m.content} for m in messages]
    try:
        text = tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=generation_prompt
        )
    except jinja2.TemplateError as error:
        raise OracleFailure(
            f"{tokenizer.name_or_path}: its chat template refuses {excerpt(prompt)}: {error}"
        ) from None
    return dict(tokenizer(text, add_special_tokens=False))


def longest_input(model: PreTrainedModel, limit: int) -> int:
    """Tokens that the model can read, and may."""
    context = model.config.get_text_config().to_dict().get("max_position_embeddings")
    return limit if context is None else min(limit, int(context))


def length_sorted(inputs: Sequence[Features], size: int) -> Iterator[list[int]]:
    """Batches of indices, the longest inputs first, so that little is padded."""
    order = sorted(range(len(inputs)), key=lambda n: -len(inputs[n]["input_ids"]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def padded(
    batch: Sequence[Features], pad_id: int, device: torch.device | str
) -> dict[str, torch.Tensor]:
    """(B, L) tensors, padded on the right, where causal models do not look."""
    width = max(len(features["input_ids"]) for features in batch)
    fill = {"input_ids": pad_id}
    return {
        name: torch.tensor(
            [f[name] + [fill.get(name, 0)] * (width - len(f[name])) for f in batch], device=device
        )
        for name in batch[0]
    }


def unused_id(batch: Sequence[Features]) -> int:
    """The smallest token id that stands in none of the inputs."""
    used = {i for features in batch for i in features["input_ids"]}
    return next(i for i in range(len(used) + 1) if i not in used)


def out_of_memory(name: str, size: int) -> OracleFailure:
    """What to do when a batch does not fit."""
    return OracleFailure(
        f"oracle '{name}': a batch of {size} does not fit into memory; lower oracle.batch_size"
    )
