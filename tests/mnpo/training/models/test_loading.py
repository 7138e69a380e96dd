"""Loading: precision, adapters, and everything that is refused."""

import json

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from mnpo.errors import DamagedRun, UserError
from mnpo.training.models.hashing import hash_policy
from mnpo.training.models.loading import (
    generation_end_ids,
    load_contract,
    load_policy,
    load_tokenizer,
    require_same_tokens,
)
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.saving import save_policy
from mnpo.training.models.settings import LoraSettings, ModelSettings
from mnpo.training.models.tiny import make_tokenizer
from mnpo.training.tokens import TokenDrift

LORA = ModelSettings(lora=LoraSettings(rank=2, alpha=4))
IDS = torch.arange(12)[None]


def edit(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_precision_is_of_answers_and_training_is_in_float32(saved) -> None:
    half = ModelSettings(precision="bfloat16")
    answering = load_policy(saved, half, "cpu", for_training=False)
    training = load_policy(saved, half, "cpu", for_training=True)
    assert (answering.dtype, answering.training) == (torch.bfloat16, False)
    assert (training.dtype, training.training) == (torch.float32, True)
    assert all(p.requires_grad for p in training.parameters())
    assert training.config._attn_implementation == "sdpa"
    assert (
        load_policy(
            saved, ModelSettings(attention="eager"), "cpu", for_training=False
        ).config._attn_implementation
        == "eager"
    )


def test_checkpointing_of_gradients_is_left_to_training(saved) -> None:
    settings = ModelSettings(gradient_checkpointing=True)
    model = load_policy(saved, settings, "cpu", for_training=True)
    states = {
        m.gradient_checkpointing for m in model.modules() if hasattr(m, "gradient_checkpointing")
    }
    assert states == {False}


def trained_adapter(saved, tokenizer, card, folder):
    model = load_policy(saved, LORA, "cpu", for_training=True)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=1.0)
    for _ in range(3):
        model(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, save_policy(model, tokenizer, folder, card, base=saved)


def test_a_fresh_adapter_changes_nothing_and_alone_is_trained(saved) -> None:
    plain = load_policy(saved, ModelSettings(), "cpu", for_training=False)
    fresh = load_policy(saved, LORA, "cpu", for_training=True)
    assert torch.equal(plain(IDS).logits, fresh(IDS).logits)
    assert {"lora_A", "lora_B"} == {
        part
        for name, p in fresh.named_parameters()
        if p.requires_grad
        for part in name.split(".")
        if "lora" in part
    }
    frozen = [name for name, p in fresh.named_parameters() if not p.requires_grad]
    assert frozen
    assert not any("lora" in name for name in frozen)
    torch.rand(1)  # the state of the global generator must not matter
    again = load_policy(saved, LORA, "cpu", for_training=True)
    assert all(
        torch.equal(a, b) for a, b in zip(fresh.parameters(), again.parameters(), strict=True)
    )


def test_a_trained_adapter_is_reloaded_bit_for_bit_and_by_peft_too(
    saved, tokenizer, card, tmp_path
) -> None:
    model, checkpoint = trained_adapter(saved, tokenizer, card, tmp_path / "adapter")
    assert not (checkpoint.path / "model.safetensors").exists()
    with torch.no_grad():
        expected = model.eval()(IDS).logits
        assert not torch.equal(
            expected, load_policy(saved, ModelSettings(), "cpu", for_training=False)(IDS).logits
        )
        answering = load_policy(checkpoint, ModelSettings(), "cpu", for_training=False)
        assert torch.equal(answering(IDS).logits, expected)
        theirs = PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(saved.path), checkpoint.path
        )
        torch.testing.assert_close(theirs(IDS).logits, expected, rtol=1e-6, atol=1e-6)
    going_on = load_policy(checkpoint, LORA, "cpu", for_training=True)
    state = dict(model.named_parameters())
    for name, parameter in going_on.named_parameters():
        assert torch.equal(parameter, state[name])
        assert parameter.requires_grad is ("lora_" in name)


def test_an_adapters_hash_is_its_own_and_its_bases(saved, tokenizer, card, tmp_path) -> None:
    _, one = trained_adapter(saved, tokenizer, card, tmp_path / "one")
    _, two = trained_adapter(saved, tokenizer, card, tmp_path / "two")
    assert one.sha256 == two.sha256 != saved.sha256
    content = bytearray((saved.path / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (saved.path / "model.safetensors").write_bytes(content)
    assert hash_policy(one.path) != one.sha256
    edit(one.path / "adapter_config.json", base_model_name_or_path="/nowhere")
    with pytest.raises(UserError, match="a LoRA adapter of /nowhere, which is not a folder here"):
        hash_policy(one.path)


def test_adapters_without_their_settings_or_base_are_refused(
    saved, tokenizer, card, tmp_path
) -> None:
    model, checkpoint = trained_adapter(saved, tokenizer, card, tmp_path / "adapter")
    with pytest.raises(UserError, match=r"model\.lora is not set"):
        load_policy(checkpoint, ModelSettings(), "cpu", for_training=True)
    with pytest.raises(UserError, match="give its base"):
        save_policy(model, tokenizer, tmp_path / "other", card)
    wrong = ModelSettings(lora=LoraSettings(target_modules=("qq_proj",)))
    with pytest.raises(UserError, match=r"model\.lora does not fit the model: .*qq_proj"):
        load_policy(saved, wrong, "cpu", for_training=True)


def test_weights_that_do_not_fit_are_refused_never_filled_in(saved) -> None:
    edit(saved.path / "config.json", num_hidden_layers=3)
    with pytest.raises(UserError, match=r"model\.layers\.2\..* is missing"):
        load_policy(saved, ModelSettings(), "cpu", for_training=False)
    edit(saved.path / "config.json", num_hidden_layers=2, intermediate_size=32)
    with pytest.raises(UserError, match=r"down_proj\.weight is of another shape"):
        load_policy(saved, ModelSettings(), "cpu", for_training=False)


def test_truncated_weights_are_refused(saved) -> None:
    path = saved.path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedRun, match="truncated"):
        load_policy(saved, ModelSettings(), "cpu", for_training=False)


def test_code_of_the_model_runs_only_if_asked_for(saved, tmp_path) -> None:
    (saved.path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    edit(
        saved.path / "config.json",
        model_type="evil",
        auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
    )
    with pytest.raises(UserError, match="needs code that comes with the model"):
        load_policy(saved, ModelSettings(), "cpu", for_training=False)
    assert not (tmp_path / "ran").exists()


def test_an_unknown_architecture_is_one_line(saved) -> None:
    edit(saved.path / "config.json", model_type="lama")
    with pytest.raises(UserError, match=r"cannot be loaded: .*lama") as refused:
        load_policy(saved, ModelSettings(), "cpu", for_training=False)
    assert "\n" not in str(refused.value)


def test_a_broken_or_missing_tokenizer_is_one_line(saved) -> None:
    (saved.path / "tokenizer.json").write_text('{"version": "1.0"')
    with pytest.raises(UserError, match="its tokenizer cannot be loaded") as refused:
        load_tokenizer(saved)
    assert "\n" not in str(refused.value)
    (saved.path / "tokenizer_config.json").unlink()
    with pytest.raises(UserError, match=r"no tokenizer_config\.json"):
        load_tokenizer(saved)


def test_end_tokens_come_from_the_generation_configuration_too(saved) -> None:
    eos = load_tokenizer(saved).eos_token_id
    edit(saved.path / "generation_config.json", eos_token_id=[eos, 7, 5])
    assert load_contract(saved).end_ids == (eos, 5, 7)
    edit(saved.path / "generation_config.json", eos_token_id="<|end|>")
    with pytest.raises(DamagedRun, match="expected ids"):
        generation_end_ids(saved.path)


def test_sampling_settings_without_sampling_do_not_fail_after_training(
    saved, tokenizer, card, tmp_path
) -> None:
    edit(saved.path / "generation_config.json", temperature=0.6, top_p=0.9)
    model = load_policy(saved, ModelSettings(), "cpu", for_training=True)
    again = save_policy(model, tokenizer, tmp_path / "again", card)
    kept = json.loads((again.path / "generation_config.json").read_text())
    assert (kept["do_sample"], kept["temperature"], kept["top_p"]) == (True, 0.6, 0.9)


def test_models_with_other_tokenizers_are_refused(saved, make_model, card, tmp_path) -> None:
    words = make_tokenizer(320)
    model = make_model()
    model.resize_token_embeddings(len(words))
    other = save_policy(model, words, tmp_path / "other", card)
    same = PolicyCheckpoint(saved.path, saved.sha256)
    assert require_same_tokens({"the policy": saved, "twin": same}) == load_contract(saved)
    hashes = [load_contract(item).tokenizer[:12] for item in (saved, other)]
    with pytest.raises(TokenDrift, match=f"the policy .*{hashes[0]}.*the reference.*{hashes[1]}"):
        require_same_tokens({"the policy": saved, "the reference": other})
