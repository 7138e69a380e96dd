"""A policy's hash: what it depends on, and what it does not."""

import hashlib
import json
import shutil

import pytest
from safetensors import safe_open

from mnpo.errors import DamagedRun, UserError
from mnpo.training.models.hashing import hash_policy, stored_tensors, weight_files


def naive_tensors(path):
    """Name -> type, shape and bytes, by the library that wrote the file."""
    with safe_open(path, framework="numpy") as file:
        return {
            name: (str(t.dtype), t.shape, t.tobytes())
            for name in file.keys()  # noqa: SIM118
            for t in (file.get_tensor(name),)
        }


def test_tensors_are_those_that_the_library_reads(saved) -> None:
    (path,) = weight_files(saved.path)
    content = path.read_bytes()
    expected = naive_tensors(path)
    found = {t.name: (t.shape, content[t.start : t.stop]) for t in stored_tensors(path)}
    assert found == {name: (shape, data) for name, (_, shape, data) in expected.items()}


def test_a_copy_another_card_and_another_sharding_have_the_same_hash(
    saved, tokenizer, make_model, tmp_path
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(saved.path, copy)
    (copy / "README.md").write_text("another card")
    config = json.loads((copy / "config.json").read_text())
    config |= {"_name_or_path": "x", "transformers_version": "9", "use_cache": False}
    (copy / "config.json").write_text(json.dumps(config))
    assert hash_policy(copy) == saved.sha256
    sharded = tmp_path / "sharded"
    make_model().save_pretrained(sharded, max_shard_size="5KB")
    assert len(weight_files(sharded)) > 2
    assert hash_policy(sharded) == saved.sha256


def test_one_bit_of_a_weight_or_one_entry_of_the_model_changes_it(saved) -> None:
    (path,) = weight_files(saved.path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    changed = hash_policy(saved.path)
    assert changed != saved.sha256
    config = json.loads((saved.path / "config.json").read_text())
    (saved.path / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-5}))
    assert hash_policy(saved.path) not in (changed, saved.sha256)


def test_names_and_shapes_count_not_only_bytes(saved) -> None:
    (path,) = weight_files(saved.path)
    content = path.read_bytes()
    swapped = content.replace(b"q_proj", b"@!@!@!").replace(b"k_proj", b"q_proj")
    path.write_bytes(swapped.replace(b"@!@!@!", b"k_proj"))
    assert hash_policy(saved.path) != saved.sha256


def test_other_seed_other_hash(make_model, saved, tmp_path) -> None:
    make_model(seed=1).save_pretrained(tmp_path / "other")
    assert hash_policy(tmp_path / "other") != saved.sha256


def test_damaged_weights_are_refused(saved) -> None:
    (path,) = weight_files(saved.path)
    content = path.read_bytes()
    for cut in (content[:-5], content[:20], content[:3], b"", content + b"x"):
        path.write_bytes(cut)
        with pytest.raises(DamagedRun, match=r"model\.safetensors: damaged or truncated"):
            hash_policy(saved.path)
    path.write_bytes(b"\x10" + b"\0" * 7 + b"not json, surely" + b"\0" * 50)
    with pytest.raises(DamagedRun, match="unreadable header"):
        hash_policy(saved.path)


def test_what_is_no_model_is_refused(tmp_path, saved) -> None:
    with pytest.raises(UserError, match="no such folder"):
        hash_policy(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"no config\.json"):
        hash_policy(tmp_path)
    (path,) = weight_files(saved.path)
    path.rename(saved.path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pickled \(pytorch_model\.bin\).*convert"):
        hash_policy(saved.path)
    (saved.path / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match=r"no \.safetensors"):
        hash_policy(saved.path)


def test_the_hash_is_a_function_of_the_files_alone(saved) -> None:
    """Pinned so that stores of log-probs written by one version are found by the next."""
    (path,) = weight_files(saved.path)
    config = json.loads((saved.path / "config.json").read_text())
    dropped = "_name_or_path architectures bos_token_id dtype eos_token_id pad_token_id "
    dropped += "torch_dtype transformers_version use_cache"
    relevant = {k: v for k, v in config.items() if k not in dropped.split() and v is not None}

    def as_json(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    twin = hashlib.sha256(hashlib.sha256(as_json(relevant)).hexdigest().encode())
    for name, (dtype, shape, data) in sorted(naive_tensors(path).items()):
        about = [name, {"float32": "F32"}[dtype], list(shape)]
        twin.update(hashlib.sha256(as_json(about)).hexdigest().encode() + data)
    assert twin.hexdigest() == saved.sha256
