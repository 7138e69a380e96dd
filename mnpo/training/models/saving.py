"""Writing a policy as a plain ``save_pretrained`` directory, whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mnpo.errors import UserError
from mnpo.runs.files import sha256_file
from mnpo.training.models.card import ModelCard
from mnpo.training.models.hashing import adapter_base, hash_policy, read_config
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.quiet import quiet
from mnpo.training.models.verifying import HASHES


def save_policy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    card: ModelCard,
    base: PolicyCheckpoint | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> PolicyCheckpoint:
    """Write weights, configuration, tokenizer, generation configuration and model card.

    Everything is written under a temporary name, ``hashes.json`` with the sha256 of every file
    last, and renamed. A policy that is there already is replaced; anything else is refused.

    Args:
        model: of a model with a LoRA adapter only the adapter is written.
        tokenizer: with its chat template.
        folder: the checkpoint; its parent is created.
        card: becomes README.md.
        base: the model that a LoRA adapter belongs to.
        weights: the gathered state of a model whose parameters are shared out over processes.

    Raises:
        UserError: the folder holds something else, a generation setting is impossible, or an
            adapter comes without its base.
        OSError: it cannot be written; nothing is left behind.
    """
    if folder.is_file() or (
        folder.is_dir() and not (folder / HASHES).is_file() and any(folder.iterdir())
    ):
        raise UserError(f"{folder}: is there and holds no saved policy; give another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.partial")
    partial.mkdir()
    try:
        _write(model, tokenizer, partial, card, base, weights)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
    except SafetensorError as error:  # how the library reports what the system refused
        raise _refused(error, folder) from None
    except OSError as error:
        if error.filename is None:  # a write that failed names no file
            error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return PolicyCheckpoint(folder, hash_policy(folder))


def _write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    card: ModelCard,
    base: PolicyCheckpoint | None,
    weights: Mapping[str, Tensor] | None,
) -> None:
    with quiet():
        try:
            model.save_pretrained(folder, state_dict=None if weights is None else dict(weights))
        except ValueError as error:
            if "generation" not in str(error).lower():
                raise
            reason = " ".join(str(error).split())
            raise UserError(f"the model's generation configuration is refused: {reason}") from None
        try:
            tokenizer.save_pretrained(folder)
        except Exception as error:
            # Rust raises plain Exception for what the system refused, so no narrower type will do.
            if type(error) is not Exception or "os error" not in str(error):
                raise
            raise _refused(error, folder) from None
        if model.generation_config is not None:
            model.generation_config.save_pretrained(folder)
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        if base is None:
            raise UserError("a LoRA adapter is saved with the model it belongs to; give its base")
        address = adapter_base(base.path) or base.path
        config = read_config(adapter) | {"base_model_name_or_path": str(address.resolve())}
        if isinstance(config["target_modules"], list):
            config["target_modules"] = sorted(config["target_modules"])  # an unordered set
        adapter.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (folder / "README.md").write_text(card.text(), encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(folder)): sha256_file(path) for path in files}
    (folder / HASHES).write_text(json.dumps(hashes, indent=1) + "\n")
    mode = (folder / "README.md").stat().st_mode
    for path in (*files, folder / HASHES):
        path.chmod(mode)  # safetensors writes files that only their owner can read
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _refused(error: Exception, folder: Path) -> OSError:
    """What a library in Rust says in its own way, as the error that it was."""
    full = "No space left" in str(error) or f"os error {errno.ENOSPC}" in str(error)
    return OSError(errno.ENOSPC if full else errno.EIO, str(error), str(folder))
