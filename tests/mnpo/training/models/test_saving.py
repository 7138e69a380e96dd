"""Saved policies: whole, checked, bit-identical when loaded, and silent about secrets."""

import json

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, GenerationConfig

from mnpo.errors import DamagedRun, UserError
from mnpo.training.models.card import HIDDEN, ModelCard, find_secret, without_secrets
from mnpo.training.models.loading import load_contract, load_policy, load_tokenizer
from mnpo.training.models.saving import save_policy
from mnpo.training.models.settings import ModelSettings
from mnpo.training.models.verifying import verify_policy
from mnpo.training.tokens import contract_of


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("tied", [True, False])
def test_a_trained_policy_is_reloaded_bit_for_bit(
    tied, tokenizer, make_model, card, tmp_path
) -> None:
    model = make_model(tied=tied).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    ids = torch.arange(20)[None]
    for _ in range(2):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    checkpoint = save_policy(model, tokenizer, tmp_path / "policy", card)
    verify_policy(checkpoint.path)
    loaded = load_policy(checkpoint, ModelSettings(), "cpu", for_training=False)
    before, after = weights(model), weights(loaded)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    with torch.no_grad():
        assert torch.equal(model.eval()(ids).logits, loaded(ids).logits)
    assert (loaded.lm_head.weight is loaded.model.embed_tokens.weight) is tied
    assert load_contract(checkpoint) == contract_of(tokenizer)
    assert load_tokenizer(checkpoint).chat_template == tokenizer.chat_template
    again = save_policy(loaded, load_tokenizer(checkpoint), tmp_path / "again", card)
    assert again.sha256 == checkpoint.sha256


def test_a_checkpoint_is_what_the_library_expects(saved) -> None:
    names = {path.name for path in saved.path.iterdir()}
    assert names == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "README.md",
        "hashes.json",
    }
    AutoModelForCausalLM.from_pretrained(saved.path, use_safetensors=True)
    assert not list(saved.path.parent.glob(".*"))
    (saved.path.parent / "plain").write_text("")
    usual = (saved.path.parent / "plain").stat().st_mode
    assert {path.stat().st_mode for path in saved.path.iterdir()} == {usual}


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "README.md"])
@pytest.mark.parametrize("how", ["flipped", "truncated", "missing"])
def test_every_damage_is_found(saved, name, how) -> None:
    verify_policy(saved.path)
    path = saved.path / name
    content = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    else:
        content[len(content) // 2] ^= 4
        path.write_bytes(content if how == "flipped" else content[:-1])
    with pytest.raises(DamagedRun, match=f"{name}: (has changed|is missing)"):
        verify_policy(saved.path)


def test_added_weights_and_an_unfinished_save_are_found(saved) -> None:
    (saved.path / "model-2.safetensors").write_bytes(b"x")
    with pytest.raises(DamagedRun, match=r"model-2\.safetensors was added"):
        verify_policy(saved.path)
    (saved.path / "hashes.json").unlink()
    with pytest.raises(DamagedRun, match="not saved whole"):
        verify_policy(saved.path)


def test_a_policy_is_replaced_and_anything_else_is_not(
    saved, tokenizer, make_model, card, tmp_path
) -> None:
    other = save_policy(make_model(seed=1), tokenizer, saved.path, card)
    assert other.sha256 != saved.sha256
    verify_policy(saved.path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("...")
    with pytest.raises(UserError, match="holds no saved policy"):
        save_policy(make_model(), tokenizer, tmp_path / "thesis", card)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "..."


def test_a_save_that_fails_leaves_the_older_policy_and_no_rest(
    saved, tokenizer, make_model, card, monkeypatch
) -> None:
    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tokenizer), "save_pretrained", full)
    with pytest.raises(OSError, match="No space left"):
        save_policy(make_model(seed=1), tokenizer, saved.path, card)
    verify_policy(saved.path)
    assert [path.name for path in saved.path.parent.iterdir()] == ["policy"]


def test_a_full_disk_below_safetensors_is_a_full_disk(
    tokenizer, make_model, card, monkeypatch, tmp_path
) -> None:
    from safetensors import SafetensorError

    model = make_model()

    def full(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: No space left (os error 28)")

    monkeypatch.setattr(model, "save_pretrained", full)
    with pytest.raises(OSError) as failed:  # noqa: PT011
        save_policy(model, tokenizer, tmp_path / "policy", card)
    assert failed.value.errno == 28
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_generation_setting_is_one_line(
    tokenizer, make_model, card, tmp_path
) -> None:
    model = make_model()
    model.generation_config = GenerationConfig(temperature=0.5)
    with pytest.raises(UserError, match=r"generation configuration is refused: .*temperature"):
        save_policy(model, tokenizer, tmp_path / "policy", card)


def test_the_card_tells_where_a_model_comes_from(monkeypatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret")
    card = ModelCard(
        title="inpo on tiny",
        algorithm="inpo",
        base_model="/home/somebody/models/base",
        base_sha256="ab" * 32,
        parameters={"step_size": 0.5},
        recipe={
            "oracle": {"url": "https://me:pw@judge.example/v1", "api_key_env": "MY_API_KEY"},
            "sampling": {
                "server": {"command": ["serve", "--api-key", "sk-very-secret"]},
                "max_new_tokens": 24,
                "note": "called with sk-very-secret",
            },
        },
        data={"prompts.jsonl": "cd" * 32},
        ledger={"tokens": 12, "queries": 34},
        versions={"torch": "2.13.0"},
        license="apache-2.0",
    )
    text = card.text()
    _, head, body = text.split("---\n", 2)
    front = yaml.safe_load(head)
    assert front["base_model"] == "base"
    assert front["license"] == "apache-2.0"
    assert "inpo" in front["tags"]
    assert "very-secret" not in text
    assert "me:pw" not in text
    assert "/home" not in text
    for expected in ("MY_API_KEY", "ab" * 32, "cd" * 32, "step_size: 0.5", "queries: 34"):
        assert expected in body
    assert "max_new_tokens: 24" in body
    assert "torch: 2.13.0" in body


def test_numbers_stay_numbers_and_only_private_keys_are_hidden() -> None:
    import numpy as np

    given = {"tokens": np.int64(3), "rate": np.float64(0.5), "on": True, "none": None}
    assert without_secrets(given) == {"tokens": 3, "rate": 0.5, "on": True, "none": None}
    assert yaml.safe_load(yaml.safe_dump(without_secrets(given))) == without_secrets(given)
    assert without_secrets({"api_key": "x", "password": ("y",), "token_ids": "returned"}) == {
        "api_key": HIDDEN,
        "password": HIDDEN,
        "token_ids": "returned",
    }


def test_keys_are_found_wherever_they_stand(monkeypatch) -> None:
    monkeypatch.setenv("MINE", "open sesame")
    monkeypatch.setenv("PLACE", "dummy")
    deep = {"sampling": {"server": [{"api_key_env": "MINE"}]}, "recipe": "to open sesame"}
    assert "MINE" in find_secret(deep)
    assert find_secret({**deep, "recipe": "mine"}) is None
    assert find_secret({"recipe": "to open sesame"}) is None  # nobody calls it a key
    assert find_secret({"api_key_env": "PLACE", "name": "dummy"}) is None  # too short to be one
    for text in ("sk-abcdefghij0123456789", "Bearer sk-proj-abcdefghij0123456789"):
        assert "looks like a key" in find_secret({"a": [{"b": text}]})
        assert "looks like a key" in find_secret({text: 1})
    for text in ("sk-short", "models/sk-abcdefghij0123456789", "task-abcdefghij0123456789"):
        assert find_secret({"a": text}) is None


def test_hashes_are_of_every_other_file(saved) -> None:
    listed = json.loads((saved.path / "hashes.json").read_text())
    assert listed.keys() == {p.name for p in saved.path.iterdir()} - {"hashes.json"}
