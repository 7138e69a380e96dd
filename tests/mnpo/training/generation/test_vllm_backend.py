"""What the backend asks of vLLM and makes of its answers; test_real_servers.py has real ones."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.generation import vllm_backend
from mnpo.training.generation.vllm_backend import VllmBackend
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.settings import ModelSettings


class FakeEngine:
    """Answers each request with its seed's last digit, and ends it where that is even."""

    latest: "FakeEngine"

    def __init__(self, **options):
        FakeEngine.latest = self
        self.options = options
        self.requests = []
        self.running = True
        self.llm_engine = SimpleNamespace(
            model_config=SimpleNamespace(max_model_len=16),
            engine_core=SimpleNamespace(shutdown=self.stop),
        )

    def stop(self):
        self.running = False

    def generate(self, prompts, parameters, use_tqdm):
        self.requests += list(zip(prompts, parameters, strict=True))
        return [
            SimpleNamespace(
                outputs=[SimpleNamespace(token_ids=[p["prompt_token_ids"][-1], 1 + s.seed % 2 * 4])]
            )
            for p, s in zip(prompts, parameters, strict=True)
        ]


@pytest.fixture
def backend(monkeypatch, contract, settings):
    fake = SimpleNamespace(LLM=FakeEngine, SamplingParams=SimpleNamespace)
    monkeypatch.setattr(vllm_backend, "require_vllm", lambda: fake)
    return VllmBackend(settings(max_new_tokens=2, top_k=3), contract, ModelSettings())


def test_ids_seeds_and_ends(backend, tmp_path):
    policy = PolicyCheckpoint(tmp_path, "x")
    with backend.open(((policy, 1.0),)) as sampler:
        answers = sampler.draw([[3, 4], [5], [6]], [20, 0, 2], seed=1)
        engine = FakeEngine.latest
        assert engine.running
    assert not engine.running
    assert engine.options["model"] == str(tmp_path)
    assert engine.options["dtype"] == "float32"
    assert engine.options["generation_config"] == "vllm"
    assert [len(row) for row in answers] == [20, 0, 2]
    assert {c.ids[0] for c in answers[0]} == {4}
    assert {c.ids[0] for c in answers[2]} == {6}
    for completion in answers[0]:
        assert completion.finished == (completion.ids[-1] == 1)
    assert {c.finished for c in answers[0]} == {True, False}
    asked = [parameters for _, parameters in engine.requests]
    assert len({parameters.seed for parameters in asked}) == 22
    assert asked[0].stop_token_ids == [1, 2]
    assert (asked[0].top_k, asked[0].max_tokens, asked[0].n) == (3, 2, 1)


def test_the_engine_ends_on_errors_too(backend, tmp_path):
    policy = PolicyCheckpoint(tmp_path, "x")
    with pytest.raises(KeyboardInterrupt), backend.open(((policy, 1.0),)):
        raise KeyboardInterrupt
    assert not FakeEngine.latest.running


def test_a_prompt_beyond_the_context_is_refused(backend, tmp_path):
    policy = PolicyCheckpoint(tmp_path, "x")
    with (
        backend.open(((policy, 1.0),)) as sampler,
        pytest.raises(UserError, match=r"a prompt of 15 tokens .* the policy's context of 16"),
    ):
        sampler.draw([[3] * 15], [1], seed=0)


def test_mixtures_and_adapters_are_refused(backend, tmp_path):
    first, second = (PolicyCheckpoint(Path(name), name) for name in "ab")
    with (
        pytest.raises(InvalidSetting, match="backend vllm cannot sample from"),
        backend.open(((first, 0.5), (second, 0.5))),
    ):
        pass
    (tmp_path / "adapter_config.json").write_text("{}")
    with (
        pytest.raises(InvalidSetting, match="not LoRA adapters"),
        backend.open(((PolicyCheckpoint(tmp_path, "x"), 1.0),)),
    ):
        pass
