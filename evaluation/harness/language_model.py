"""A policy as lm-eval's language model, watched for doubled BOS tokens and cut prompts.

This module imports lm_eval and torch; import it where a model is about to be loaded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval.models.huggingface import HFLM

from evaluation.harness.silence import silence
from mnpo.errors import UserError
from mnpo.training.models.loading import load_policy, load_tokenizer
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.settings import ModelSettings


class WatchedLM(HFLM):  # type: ignore[misc]  # published without types
    """lm-eval's model of the transformers library, which counts what it would pass over silently.

    Attributes:
        cut_prompts: requests whose prompt did not fit and lost its beginning.
    """

    cut_prompts = 0

    def _loglikelihood_tokens(self, requests: Any, *args: Any, **kwargs: Any) -> Any:
        for _, context, continuation in requests:
            self._require_one_bos(list(context) + list(continuation))
            self.cut_prompts += len(context) + len(continuation) > self.max_length + 1
        return super()._loglikelihood_tokens(requests, *args, **kwargs)

    def tok_batch_encode(
        self, strings: list[str], *args: Any, left_truncate_len: int | None = None, **kwargs: Any
    ) -> Any:
        """As lm-eval's; counts texts longer than what is left of them."""
        if left_truncate_len:
            lengths = [len(self.tok_encode(text)) for text in strings]
            self.cut_prompts += sum(length > left_truncate_len for length in lengths)
        ids, mask = super().tok_batch_encode(
            strings, *args, left_truncate_len=left_truncate_len, **kwargs
        )
        for row, shown in zip(ids.tolist(), mask.tolist(), strict=False):
            self._require_one_bos([i for i, keep in zip(row, shown, strict=False) if keep])
        return ids, mask

    def _require_one_bos(self, ids: Sequence[int]) -> None:
        bos = self.tokenizer.bos_token_id
        if bos is not None and len(ids) > 1 and ids[0] == ids[1] == bos:
            raise UserError(
                "a prompt begins with two BOS tokens: tokenizer and chat template both add one; "
                "mend the chat template"
            )


def open_language_model(
    checkpoint: PolicyCheckpoint,
    *,
    device: str,
    precision: str,
    batch_size: int,
    max_length: int,
) -> WatchedLM:
    """A checkpoint in memory.

    Raises:
        UserError: it cannot be loaded.
    """
    settings = ModelSettings.model_validate(
        # lm-eval pads within a batch; flex needs masks of its own for that.
        {"name": str(checkpoint.path), "precision": precision, "attention": "sdpa"}
    )
    model: Any = load_policy(checkpoint, settings, device, for_training=False)
    # It would overrule the length that a task allows, which lm-eval passes as max_length.
    model.generation_config.max_new_tokens = None
    tokenizer = load_tokenizer(checkpoint)
    with silence():
        return WatchedLM(
            pretrained=model, tokenizer=tokenizer, batch_size=batch_size, max_length=max_length
        )


def context_length(folder: Path) -> int:
    """Tokens a model can read at once, as its configuration says; 2048 where it does not."""
    from mnpo.training.models.hashing import adapter_base, read_config

    config = read_config((adapter_base(folder) or folder) / "config.json")
    config = config | (config.get("text_config") or {})
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        if isinstance(config.get(name), int):
            return int(config[name])
    return 2048
