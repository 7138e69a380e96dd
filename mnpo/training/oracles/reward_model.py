"""Scalar reward models: sequence classifiers that read a conversation with its response."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.training.models.hashing import adapter_base, stored_tensors, weight_files
from mnpo.training.models.loading import load_tokenizer
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.quiet import quiet
from mnpo.training.oracles.base import (
    Array,
    OracleFailure,
    Question,
    RewardOracle,
    check_rewards,
    distinct,
    excerpt,
)
from mnpo.training.oracles.local_models import (
    Features,
    encode_chat,
    find_model,
    fingerprint,
    length_sorted,
    longest_input,
    out_of_memory,
    padded,
    unused_id,
)
from mnpo.training.oracles.settings import RewardModelSettings

_LOG = logging.getLogger(__name__)


class RewardModel(RewardOracle):
    """r(x, y) from a classification head with one logit, or from the ``.score`` of a custom head.

    Inputs of like length share a forward; each different response is read once. Where the model's
    configuration names a padding token, the head reads the last token that is not it, as the
    model's own code does; where it names none, the last token of the text.

    Args:
        settings: model, head, form of the input, limits.
        device: as torch calls it.

    Attributes:
        truncated: inputs cut so far, with ``over_long: truncate``.

    Raises:
        UserError: the model is not there, is pickled, has no trained head or more than one logit.
    """

    def __init__(self, settings: RewardModelSettings, *, device: str = "cpu") -> None:
        checkpoint = find_model(settings)
        self.name = f"reward-model({checkpoint.path.name})"
        self.scale = settings.scale
        self.truncated = 0
        self._settings = settings
        self._device = device
        self._tokenizer = load_tokenizer(checkpoint, trust_remote_code=settings.trust_remote_code)
        self._model = _load(checkpoint, settings, device)
        self._longest = longest_input(self._model, settings.max_tokens)
        self._fingerprint = fingerprint(checkpoint)

    def describe(self) -> dict[str, Any]:
        """The model by its hashes, and how it is read."""
        kept = ("head", "reads", "scale", "precision", "max_tokens", "over_long")
        return {
            "kind": "reward-model",
            **self._fingerprint,
            **{name: getattr(self._settings, name) for name in kept},
        }

    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) rewards; identical responses get the same to the last bit.

        Raises:
            OracleFailure: an input is too long and may not be cut, a reward is not finite, or
                memory runs out.
        """
        texts: list[tuple[Question, str]] = []
        places = []
        for question in questions:
            different, index = distinct(question.responses)
            places.append(index + len(texts))
            texts += [(question, text) for text in different]
        found = self._read([self._encode(question, text) for question, text in texts])
        return [
            check_rewards(found[index], question, self.name)
            for question, index in zip(questions, places, strict=True)
        ]

    def _encode(self, question: Question, response: str) -> Features:
        prompt = question.prompt
        if self._settings.reads == "pair":
            features: Features = dict(self._tokenizer(prompt.text, response))
        else:
            turns = [*prompt.messages, Message("assistant", response)]
            features = encode_chat(self._tokenizer, prompt, turns, generation_prompt=False)
        length = len(features["input_ids"])
        if length <= self._longest:
            return features
        if self._settings.over_long == "refuse":
            raise OracleFailure(
                f"oracle '{self.name}', {excerpt(prompt)}: the input has {length} tokens, more "
                f"than {self._longest}; raise oracle.max_tokens if the model can read more, "
                "shorten the responses, or set oracle.over_long: truncate"
            )
        if self.truncated == 0:
            _LOG.warning("oracle '%s': inputs over %d tokens are cut", self.name, self._longest)
        self.truncated += 1
        return {name: values[: self._longest] for name, values in features.items()}

    @torch.inference_mode()
    def _read(self, inputs: Sequence[Features]) -> Array:
        rewards = np.empty(len(inputs))
        config = self._model.config.get_text_config()
        declared = config.pad_token_id
        for batch in length_sorted(inputs, self._settings.batch_size):
            rows = [inputs[n] for n in batch]
            # The head finds the end of a row by the padding id, so that must not stand in the text.
            config.pad_token_id = unused_id(rows) if declared is None else declared
            try:
                output = self._model(**padded(rows, config.pad_token_id, self._device))
            except torch.OutOfMemoryError:
                raise out_of_memory(self.name, len(batch)) from None
            finally:
                config.pad_token_id = declared
            values = output.logits if self._settings.head == "logit" else output.score
            rewards[batch] = values.double().reshape(len(batch)).cpu().numpy()
        return rewards


def _load(
    checkpoint: PolicyCheckpoint, settings: RewardModelSettings, device: str
) -> PreTrainedModel:
    folder = checkpoint.path
    if adapter_base(folder) is not None:
        raise InvalidSetting(f"{folder}: is an adapter; merge it into its base model first")
    for path in weight_files(folder):
        stored_tensors(path)  # a truncated file is refused before it is loaded
    with quiet():
        try:
            model, info = AutoModelForSequenceClassification.from_pretrained(
                str(folder),
                dtype=torch.float32 if settings.precision == "float32" else torch.bfloat16,
                use_safetensors=True,
                trust_remote_code=settings.trust_remote_code,
                local_files_only=True,
                output_loading_info=True,
            )
        except (ValueError, KeyError, RuntimeError, ImportError, OSError) as error:
            reason = str(error).strip().split("\n")[0]
            raise InvalidSetting(f"{folder}: is no reward model: {reason}") from None
    missing = sorted(str(key) for key in (*info["missing_keys"], *info["mismatched_keys"]))
    if missing:
        raise InvalidSetting(
            f"{folder}: is no reward model: it has no trained weights for {missing[0]}"
        )
    if settings.head == "logit" and model.config.num_labels != 1:
        raise InvalidSetting(
            f"{folder}: is a classifier with {model.config.num_labels} labels; a reward model has 1"
        )
    model.to(device).train(False)
    if not isinstance(model, PreTrainedModel):
        raise InvalidSetting(f"{folder}: holds no model of the transformers library")
    return model
