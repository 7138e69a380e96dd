"""The hash that names a policy: its weights and what the model does with them.

Read straight from the safetensors files, without torch: each is a JSON header with the name, type,
shape and place of every tensor, then the bytes.
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnpo.errors import DamagedRun, UserError
from mnpo.runs.files import digest

#: Entries of config.json that no log-probability depends on.
_IRRELEVANT = frozenset(
    "_name_or_path architectures bos_token_id dtype eos_token_id pad_token_id torch_dtype "
    "transformers_version use_cache".split()
)
#: The same of adapter_config.json; the base is hashed by its weights, not by its address.
_IRRELEVANT_ADAPTER = frozenset(
    "auto_mapping base_model_name_or_path inference_mode init_lora_weights lora_dropout "
    "peft_version revision task_type".split()
)
_MAX_HEADER = 100_000_000  # the format's own limit, bytes

#: (files with size and time of change) -> hash. Only within a process: times can lie across runs.
_known: dict[tuple[tuple[str, int, int], ...], str] = {}


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor stands.

    Attributes:
        name, dtype, shape: as in the header.
        file: the safetensors file.
        start, stop: bytes in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    stop: int


def hash_policy(folder: Path) -> str:
    """Hex sha256 of a policy: the same for a copy, another sharding or another model card.

    A LoRA adapter's hash is made of its own tensors and its base's hash.

    Raises:
        UserError: no such folder, no model in it, or pickled weights.
        DamagedRun: a file is truncated or no safetensors file.
    """
    files = weight_files(folder)
    configs = [folder / name for name in ("config.json", "adapter_config.json")]
    read = [path for path in (*files, *configs) if path.is_file()]
    key = tuple((str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in read)
    base = adapter_base(folder)
    if base is not None:
        return digest({"adapter": _hash(key, files, folder), "base": hash_policy(base)})
    return _hash(key, files, folder)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model's or adapter's folder.

    Raises:
        UserError: there are none, or only pickled weights, which are never loaded.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; a model is a folder with config.json")
    is_adapter = (folder / "adapter_config.json").is_file()
    if not is_adapter and not (folder / "config.json").is_file():
        raise UserError(f"{folder}: holds no config.json, so it is not a model's folder")
    files = sorted(folder.glob("adapter_model*.safetensors" if is_adapter else "*.safetensors"))
    files = [path for path in files if is_adapter or not path.name.startswith("adapter_model")]
    if files:
        return files
    pickled = sorted([*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")])
    if pickled:
        raise UserError(
            f"{folder}: the weights are pickled ({pickled[0].name}), which can run code when "
            "loaded; convert them to safetensors"
        )
    raise UserError(f"{folder}: holds no .safetensors weights")


def adapter_base(folder: Path) -> Path | None:
    """Folder of the model that a LoRA adapter belongs to; None for a whole model.

    Raises:
        UserError: the adapter's base is not a folder that is there.
        DamagedRun: adapter_config.json cannot be read.
    """
    if not (folder / "adapter_config.json").is_file():
        return None
    address = read_config(folder / "adapter_config.json").get("base_model_name_or_path")
    base = Path(str(address))
    if not base.is_dir():
        raise UserError(
            f"{folder}: is a LoRA adapter of {address}, which is not a folder here; put the base "
            "model there or change base_model_name_or_path in adapter_config.json"
        )
    return base


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file of a model.

    Raises:
        DamagedRun: it is not a JSON object.
    """
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedRun(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(loaded, dict):
        raise DamagedRun(f"{path}: is not a JSON object")
    return loaded


def stored_tensors(path: Path) -> list[StoredTensor]:
    """The tensors of a safetensors file; checks that the file is as long as its header says.

    Raises:
        DamagedRun: it is truncated, longer, or no safetensors file.
    """
    size = path.stat().st_size
    damaged = f"{path}: damaged or truncated"
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else _MAX_HEADER
        if not 0 < length <= min(_MAX_HEADER, size - 8):
            raise DamagedRun(f"{damaged} (no safetensors header); save or fetch it again")
        try:
            header = json.loads(file.read(length))
            found = [
                StoredTensor(
                    name=name,
                    dtype=str(entry["dtype"]),
                    shape=tuple(int(n) for n in entry["shape"]),
                    file=path,
                    start=8 + length + int(entry["data_offsets"][0]),
                    stop=8 + length + int(entry["data_offsets"][1]),
                )
                for name, entry in header.items()
                if name != "__metadata__"
            ]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise DamagedRun(f"{damaged} (unreadable header); save or fetch it again") from None
    end = max((tensor.stop for tensor in found), default=8 + length)
    if end != size:
        raise DamagedRun(f"{damaged} ({size} bytes, its header says {end}); save or fetch it again")
    return found


def _hash(key: tuple[tuple[str, int, int], ...], files: list[Path], folder: Path) -> str:
    if key not in _known:
        hasher = hashlib.sha256(digest(_relevant(folder)).encode())
        tensors = [tensor for path in files for tensor in stored_tensors(path)]
        for tensor in sorted(tensors, key=lambda tensor: tensor.name):
            about = [tensor.name, tensor.dtype, list(tensor.shape)]
            hasher.update(digest(about).encode())
            for block in _blocks(tensor):
                hasher.update(block)
        _known[key] = hasher.hexdigest()
    return _known[key]


def _blocks(tensor: StoredTensor, size: int = 1 << 22) -> Iterator[bytes]:
    with tensor.file.open("rb") as file:
        file.seek(tensor.start)
        left = tensor.stop - tensor.start
        while left:
            block = file.read(min(size, left))
            if not block:
                raise DamagedRun(f"{tensor.file}: shorter than its header says")
            left -= len(block)
            yield block


def _relevant(folder: Path) -> dict[str, Any]:
    adapter = folder / "adapter_config.json"
    if not adapter.is_file():
        config = read_config(folder / "config.json")
        return {k: v for k, v in config.items() if k not in _IRRELEVANT and v is not None}
    return {
        name: sorted(value) if isinstance(value, list) else value  # saved from unordered sets
        for name, value in read_config(adapter).items()
        if name not in _IRRELEVANT_ADAPTER and value is not None
    }
