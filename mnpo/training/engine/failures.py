"""Failures of memory and disk in one line: what ran out, and which setting to change."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from mnpo.errors import DiskFull, UserError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_TORCH_WRITER = ("PytorchStreamWriter", "inline_container", "iostream error", "file write failed")


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Turn a write that failed for want of space into a `DiskFull`; let the rest pass.

    The writers below us say it in three ways: an `OSError`, safetensors' own error, and a
    `RuntimeError` of torch that names no reason, for which the free space is looked up.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _disk_error(path) from error
    except SafetensorError as error:
        if f"os error {errno.ENOSPC}" not in str(error).lower():
            raise
        raise _disk_error(path) from error
    except RuntimeError as error:
        if not any(word in str(error) for word in _TORCH_WRITER):
            raise
        raise _disk_error(path) from error


@contextmanager
def out_of_memory(micro_batch_tokens: int) -> Iterator[None]:
    """Turn running out of memory, on a GPU or not, into a `UserError` that names the knobs."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _memory_error(micro_batch_tokens) from error
    except RuntimeError as error:
        # What torch's CPU allocator raises.
        if "can't allocate memory" not in str(error):
            raise
        raise _memory_error(micro_batch_tokens) from error


@contextmanager
def no_room() -> Iterator[None]:
    """Turn a model that does not fit into memory into a `UserError` that says what to do."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _too_large() from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise _too_large() from error


def _too_large() -> UserError:
    return UserError(
        "out of memory while loading a model; train an adapter (model.lora), take a smaller model, "
        "or share it out over several GPUs (accelerate launch with FSDP)"
    )


def _disk_error(path: Path) -> DiskFull:
    free = shutil.disk_usage(path.parent).free / 2**20
    return DiskFull(
        f"the disk is full: could not write {path} ({free:.0f} MiB free); free some space and "
        "repeat the command, older checkpoints are kept"
    )


def _memory_error(micro_batch_tokens: int) -> UserError:
    return UserError(
        f"out of memory with micro-batches of {micro_batch_tokens} tokens; lower "
        "optimizer.micro_batch_tokens, then set model.gradient_checkpointing, then lower "
        "sampling.max_new_tokens"
    )
