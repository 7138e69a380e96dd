"""A policy on disk: a plain ``save_pretrained`` directory and its hash."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PolicyCheckpoint:
    """A directory that transformers can load, known by the hash of what it holds.

    Attributes:
        path: holds config.json, model*.safetensors (or a LoRA adapter and its base's address),
            the tokenizer and generation_config.json.
        sha256: hash over the weights and the model's configuration, independent of the path. Two
            checkpoints with the same hash are the same policy, so log-probs can be shared.
    """

    path: Path
    sha256: str
