import pytest
import torch
from transformers import AutoTokenizer

from mnpo.errors import InvalidSetting
from mnpo.training.generation.build import build_backend
from mnpo.training.generation.server_backend import ServerBackend
from mnpo.training.generation.vllm_backend import find_spec
from mnpo.training.models.settings import ModelSettings
from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import contract_of


@pytest.fixture(scope="module")
def tokenizer(letters_checkpoint):
    return AutoTokenizer.from_pretrained(letters_checkpoint.path)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_default_loads_checkpoints_in_process(letters_checkpoint, tokenizer, precision):
    settings = SamplingSettings(max_new_tokens=5)
    model = ModelSettings(precision=precision, attention="flex")
    backend = build_backend(settings, model, tokenizer, "cpu")
    with backend.open(((letters_checkpoint, 1.0),)) as sampler:
        [answers] = sampler.draw([tokenizer(":ab<end>:")["input_ids"]], [20], seed=0)
        [loaded] = sampler._models
    assert loaded.dtype == getattr(torch, precision)
    assert {completion.finished for completion in answers} == {True, False}
    assert all(set(completion.ids) <= set(range(19)) for completion in answers)


def test_the_contract_decides_the_ends(letters_checkpoint, tokenizer):
    contract = contract_of(tokenizer, generation_end_ids=range(2, 19))  # everything ends
    backend = build_backend(SamplingSettings(), ModelSettings(), tokenizer, "cpu", contract)
    with backend.open(((letters_checkpoint, 1.0),)) as sampler:
        [answers] = sampler.draw([tokenizer(":ab<end>:")["input_ids"]], [20], seed=0)
    assert all(completion.finished and len(completion.ids) == 1 for completion in answers)


def test_a_server_is_built_and_checked(tokenizer):
    values = {"backend": "server", "server": {"url": "http://127.0.0.1:9/v1"}}
    settings = SamplingSettings.model_validate(values)
    assert isinstance(build_backend(settings, ModelSettings(), tokenizer, "cpu"), ServerBackend)
    with pytest.raises(InvalidSetting, match=r"exactly one of sampling\.server\.command"):
        build_backend(SamplingSettings(backend="server"), ModelSettings(), tokenizer, "cpu")


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_missing_vllm_is_one_line(tokenizer):
    with pytest.raises(InvalidSetting, match="needs the package vllm, which is not installed"):
        build_backend(SamplingSettings(backend="vllm"), ModelSettings(), tokenizer, "cpu")
