"""The same draws through real servers, compared with the exact next-token distribution."""

import shutil
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer

from mnpo.training.generation.build import build_backend
from mnpo.training.models.settings import ModelSettings
from mnpo.training.recipe import SamplingSettings

pytestmark = pytest.mark.slow
DRAWS = 120


def program(name: str) -> str:
    """The command beside this Python, or on the path."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name) or name


def sampling(server, **values):
    return SamplingSettings.model_validate(
        {"backend": "server", "max_new_tokens": 6, "server": server, **values}
    )


def check_draws(checkpoint, settings, draws, repeats):
    """Draws from a true server or engine; ``repeats``: whether seeds must reproduce them."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.path)
    backend = build_backend(settings, ModelSettings(), tokenizer, "cpu")
    prompts = [tokenizer(text)["input_ids"] for text in (":abc<end>:", ":d<end>:")]
    with backend.open(((checkpoint, 1.0),)) as sampler:
        answers = sampler.draw(prompts, [draws, 2], seed=1)
        again = sampler.draw(prompts, [3, 2], seed=1)
        other = sampler.draw(prompts, [3, 2], seed=2)
    assert [len(row) for row in answers] == [draws, 2]
    if repeats:
        assert [answers[0][:3], answers[1]] == again
    assert other != again
    for completion in answers[0]:
        assert not set(completion.ids[:-1]) & {0, 1}
        assert completion.finished == (completion.ids[-1] in {0, 1})
    assert len({completion.finished for completion in answers[0]}) == 2

    model = AutoModelForCausalLM.from_pretrained(checkpoint.path)
    with torch.no_grad():
        exact = model(torch.tensor(prompts[:1])).logits[0, -1].double()
    exact = (exact / settings.temperature).softmax(-1).numpy()
    firsts = Counter(completion.ids[0] for completion in answers[0])
    observed = np.array([firsts[token] for token in range(len(exact))], dtype=float)
    # an end token is written back as the chat template's, whichever of the two it was
    if settings.server is not None and settings.server.token_ids == "retokenized":
        exact = np.append(exact[:2].sum(), exact[2:])
        observed = np.append(observed[:2].sum(), observed[2:])
    rare = exact * draws < 5  # together: the chi-square law wants more than a handful in a cell
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(exact[~rare], exact[rare].sum()) * draws
    assert len(expected) > 5
    assert stats.chisquare(observed, expected).pvalue > 0.001


@pytest.mark.skipif(
    find_spec("fastapi") is None or find_spec("uvicorn") is None,
    reason="`transformers serve` needs the packages fastapi and uvicorn",
)
def test_transformers_serve_samples_from_the_policy(letters_checkpoint, tmp_path, monkeypatch):
    (tmp_path / "hub").mkdir()
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    command = [program("transformers"), "serve", "{model}", "--device", "cpu"]
    command += ["--dtype", "float32", "--host", "{host}", "--port", "{port}"]
    server = {"command": command, "concurrency": 1, "start_timeout": 60}
    settings = sampling(server, temperature=0.8)
    check_draws(letters_checkpoint, settings, DRAWS, repeats=True)


needs_vllm = pytest.mark.skipif(
    find_spec("vllm") is None, reason="vLLM lives in an environment of its own (extra `vllm`)"
)


@needs_vllm
def test_vllm_serve_samples_from_the_policy(letters_checkpoint):
    command = [program("vllm"), "serve", "{model}", "--dtype", "float32", "--enforce-eager"]
    command += ["--host", "{host}", "--port", "{port}"]
    server = {"command": command, "token_ids": "returned", "start_timeout": 300}
    check_draws(letters_checkpoint, sampling(server, temperature=0.8), DRAWS, repeats=True)


@needs_vllm
def test_vllm_serve_also_answers_in_text(letters_checkpoint):
    command = [program("vllm"), "serve", "{model}", "--dtype", "float32", "--enforce-eager"]
    command += ["--host", "{host}", "--port", "{port}"]
    server = {"command": command, "token_ids": "retokenized", "start_timeout": 300}
    check_draws(letters_checkpoint, sampling(server), DRAWS, repeats=True)


@needs_vllm
def test_vllm_in_process_samples_from_the_policy(letters_checkpoint):
    settings = SamplingSettings(backend="vllm", max_new_tokens=6, temperature=0.8)
    check_draws(letters_checkpoint, settings, DRAWS, repeats=True)
