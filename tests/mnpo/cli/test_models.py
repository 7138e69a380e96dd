"""`models`: list, fetch, show, and one line for what goes wrong."""

import json

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MNPO_BENCH_CACHE", str(folder))
    return folder


def test_list_names_every_model_and_whether_it_is_there(bench, cache) -> None:
    outcome = bench("models", "list")
    assert outcome.code == 0
    assert {"tiny", "smollm2-135m"} <= set(outcome.out.splitlines())
    assert max(map(len, outcome.out.splitlines())) <= 80
    listed = json.loads(bench("models", "list", "--json").out)
    assert [entry["cached"] for entry in listed] == [False, False]
    (cache / "smollm2-135m").mkdir(parents=True)
    listed = json.loads(bench("models", "list", "--json").out)
    assert [entry["cached"] for entry in listed] == [False, True]
    assert all(entry["license"] == "Apache-2.0" for entry in listed)


def test_show(bench, tmp_path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    from mnpo.training.models.card import ModelCard
    from mnpo.training.models.saving import save_policy
    from mnpo.training.models.tiny import make_tokenizer

    tokenizer = make_tokenizer(300)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=300,
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    saved = save_policy(model, tokenizer, tmp_path / "own", ModelCard("t", "none", "none"))
    facts = json.loads(bench("models", "show", "own", "--json").out)
    assert facts["sha256"] == saved.sha256
    assert facts["weights"] == model.num_parameters()
    assert facts["end_tokens"] == ["<|end|>"]
    assert facts["stored_as"] == ["F32"]
    assert f"sha256: {saved.sha256}" in bench("models", "show", "own").out.splitlines()
    (tmp_path / "own" / "model.safetensors").write_bytes(b"x")
    outcome = bench("models", "show", "own")
    assert outcome.code == 2
    assert "model.safetensors: has changed since it was saved" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "tinny"], "did you mean 'tiny'?"),
        (["show", "smollm2-135m"], "run: mnpo-bench models fetch smollm2-135m"),
        (["show", "./nowhere"], "no such folder"),
        (["show", "owner/model"], "HF_HUB_OFFLINE is set"),
        (["fetch", "smollm"], "did you mean 'smollm2-135m'?"),
        (["fetch", "smollm2-135m", "--source", "ftp"], "'--source'"),
        (["fetch", "smollm2-135m", "--source", "hub"], "HF_HUB_OFFLINE is set"),
        (["fetch"], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_one_line(bench, words, said) -> None:
    outcome = bench("models", *words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("mnpo-bench: ")
    assert said in outcome.errors[0]
