import copy

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.attention.flex_attention import flex_attention
from transformers import AutoModelForCausalLM
from transformers.integrations import flex_attention as integration

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.logprobs.attention import attention_mask
from mnpo.training.logprobs.forward import enable_completion_scoring
from mnpo.training.logprobs.packing import pack
from mnpo.training.logprobs.scoring import completion_log_probs, score_groups

SHAPES = {
    "one response of one token": [(1, (1,))],
    "different K": [(5, (3, 1, 6)), (2, (2, 2)), (1, (1,))],
    "many groups": [(3, (2, 4))] * 6,
    "longer than the window": [(7, (6, 1, 5))],
}


def scored(model, groups, multiple=1):
    packed = pack(groups, pad_to_multiple=multiple, pad_id=0)
    return completion_log_probs(model, packed), packed


@pytest.mark.usefixtures("exact_softmax")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2"])
def test_equals_the_plain_way_in_value_and_every_gradient(family, shape, tiny, plain, groups_of):
    model, groups = tiny(family), groups_of(SHAPES[shape])
    most = max(len(responses) for _, responses in groups)
    theirs = plain(model, groups, most)
    enable_completion_scoring(model)
    ours, packed = scored(model, groups, multiple=8)
    assert ours.dtype == torch.float64
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-10)
    assert (ours[packed.lengths == 0] == 0).all()

    upstream = torch.linspace(-1, 2, ours.numel(), dtype=torch.float64).view(ours.shape)
    upstream = upstream * (packed.lengths > 0)
    names, parameters = zip(*model.named_parameters(), strict=True)
    for name, mine, other in zip(
        names,
        torch.autograd.grad(ours, parameters, upstream),
        torch.autograd.grad(theirs, parameters, upstream),
        strict=True,
    ):
        assert torch.allclose(mine, other, rtol=0, atol=1e-10), name


@pytest.mark.usefixtures("exact_softmax")
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ["mistral", "cohere", "granite", "gpt2", "neox", "llama"])
def test_other_families_and_attentions(family, attention, tiny, plain, groups_of):
    model, groups = tiny(family, attention=attention), groups_of([(7, (6, 1, 5)), (2, (3, 3, 4))])
    enable_completion_scoring(model)
    with torch.no_grad():
        ours, _ = scored(model, groups)
        assert torch.allclose(ours, plain(model, groups, 3), rtol=0, atol=1e-10)


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_single_precision(family, tiny, plain, groups_of):
    model, groups = tiny(family, torch.float32), groups_of([(6, (3, 1, 5))])
    exact = plain(copy.deepcopy(model).double(), groups, 3)
    enable_completion_scoring(model)
    ours, _ = scored(model, groups)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours.double(), exact, rtol=1e-5, atol=1e-5)


def test_half_precision_gives_float32(tiny, plain, groups_of):
    model, groups = tiny("llama", torch.bfloat16), groups_of([(6, (3, 1, 5))])
    enable_completion_scoring(model)
    with torch.no_grad():
        ours, _ = scored(model, groups)
        theirs = plain(model, groups, 3)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours, theirs, rtol=0.03, atol=0.05)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2"])
def test_a_response_sees_no_other_response_or_group(family, tiny, groups_of):
    model = tiny(family)
    enable_completion_scoring(model)
    groups = groups_of([(5, (4, 3, 6)), (3, (2, 5))])
    with torch.no_grad():
        before, packed = scored(model, groups, multiple=8)
        for b, k in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
            prompt, responses = groups[b]
            changed = list(responses)
            changed[k] = tuple((token + 1) % 37 for token in responses[k])
            other = [*groups[:b], (prompt, tuple(changed)), *groups[b + 1 :]]
            after, _ = scored(model, other, multiple=8)
            moved = before != after
            assert moved[b, k]
            assert moved.sum() == 1
        # Padding tokens are seen by nobody.
        packed.input_ids[packed.group == -1] = 7
        assert torch.equal(before, completion_log_probs(model, packed))


def test_flex_mask_equals_the_dense_one(tiny, groups_of):
    packed = pack(groups_of([(5, (4, 3, 6)), (3, (2, 5))]), pad_to_multiple=128, pad_id=0)
    model = tiny("qwen2")
    dense = attention_mask(packed, model)
    model.config._attn_implementation = "flex_attention"
    block = attention_mask(packed, model)
    assert dense.keys() == block.keys() == {"full_attention", "sliding_attention"}
    q, kv = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    for kind in dense:
        zero = torch.zeros_like(q)
        assert torch.equal(block[kind].mask_mod(zero, zero, q, kv), dense[kind][0, 0])
    assert not torch.equal(dense["full_attention"], dense["sliding_attention"])


@pytest.mark.usefixtures("exact_softmax")
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2"])
def test_flex_attention_equals_dense_masks(family, tiny, groups_of, monkeypatch):
    """Uncompiled: that needs no compiler and knows float64. No backward on a CPU either way."""

    def uncompiled(query, key, value, training=False, **kwargs):
        return flex_attention(query, key, value, **kwargs)

    monkeypatch.setattr(integration, "compile_friendly_flex_attention", uncompiled)
    groups = groups_of([(5, (4, 3, 6)), (3, (2, 5))])
    found = []
    for attention in ("flex_attention", None):
        model = tiny(family, attention=attention)
        enable_completion_scoring(model)
        with torch.no_grad():
            found.append(scored(model, groups, multiple=128)[0])
    assert torch.allclose(*found, rtol=0, atol=1e-10)


def test_lora_trains_the_adapter_alone(tiny, plain, groups_of):
    groups = groups_of([(5, (3, 1)), (2, (2, 2))])
    config = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
    model = get_peft_model(tiny("llama"), config)
    theirs = plain(model, groups, 2)
    enable_completion_scoring(model)
    ours, _ = scored(model, groups)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-10)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora" in name for name in trained)
    for mine, other in zip(
        torch.autograd.grad(ours.sum(), list(trained.values())),
        torch.autograd.grad(theirs.sum(), list(trained.values())),
        strict=True,
    ):
        assert torch.allclose(mine, other, rtol=0, atol=1e-10)
    with model.disable_adapter(), torch.no_grad():
        base, _ = scored(model, groups)
    assert not torch.allclose(base, ours)


def test_gradient_checkpointing_changes_nothing(tiny, groups_of):
    groups = groups_of([(5, (3, 1)), (2, (2, 2))])
    gradients = []
    for checkpointing in (False, True):
        model = tiny("gemma2").train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        enable_completion_scoring(model)
        scored(model, groups)[0].sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for once, twice in zip(*gradients, strict=True):
        assert torch.equal(once, twice)


def test_the_patch_is_idempotent_and_leaves_the_model_usable(tiny, groups_of, tmp_path):
    model = tiny("llama", torch.float32)
    ids = torch.tensor([[1, 2, 3]])
    logits, written = model(ids).logits, model.generate(ids, max_new_tokens=4, do_sample=False)
    enable_completion_scoring(model)
    forward = model.forward
    enable_completion_scoring(model)
    assert model.forward == forward
    assert torch.equal(model(ids).logits, logits)
    assert torch.equal(model.generate(ids, max_new_tokens=4, do_sample=False), written)

    groups = groups_of([(5, (3, 1))])
    expected = scored(model, groups)[0]
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded) is type(model)
    enable_completion_scoring(loaded)
    assert torch.equal(scored(loaded, groups)[0], expected)


def test_a_copy_scores_with_its_own_weights(tiny, groups_of):
    model, groups = tiny("llama"), groups_of([(5, (3, 1))])
    enable_completion_scoring(model)
    before = scored(model, groups)[0]
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.model.layers[0].mlp.up_proj.weight.mul_(2)
    assert torch.equal(scored(model, groups)[0], before)
    assert not torch.equal(scored(twin, groups)[0], before)


@pytest.fixture
def one_process(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("wrapper", ["ddp", "fsdp2"])
def test_distributed_wrappers_run_around_it(wrapper, tiny, groups_of):
    groups = groups_of([(5, (3, 1)), (2, (2, 2))])
    model = tiny("qwen2")
    enable_completion_scoring(model)
    expected = scored(model, groups)[0]
    gradients = torch.autograd.grad(expected.sum(), list(model.parameters()))
    if wrapper == "ddp":
        wrapped = torch.nn.parallel.DistributedDataParallel(model)
    else:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh("cpu", (1,))
        for layer in model.model.layers:
            fully_shard(layer, mesh=mesh)
        wrapped = fully_shard(model, mesh=mesh)
    ours = scored(wrapped, groups)[0]
    assert torch.equal(ours, expected)
    ours.sum().backward()
    for parameter, gradient in zip(wrapped.parameters(), gradients, strict=True):
        found = parameter.grad.full_tensor() if wrapper == "fsdp2" else parameter.grad
        assert torch.allclose(found, gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["qwen2", "neox"])
def test_a_weight_that_is_whole_only_around_its_module(family, tiny, groups_of):
    """By hooks what DeepSpeed ZeRO-3 does to every module, here to the head."""
    groups = groups_of([(5, (3, 1)), (2, (2, 2))])
    model = tiny(family)
    enable_completion_scoring(model)
    expected = scored(model, groups)[0]
    gradients = torch.autograd.grad(expected.sum(), list(model.parameters()))
    head = model.get_output_embeddings()
    whole, calls = head.weight.data.clone(), []

    def gather(*_):
        calls.append("gather")
        head.weight.data = whole

    def release(module, inputs, output):
        head.weight.data = whole.new_empty(0)
        if output.requires_grad:
            output.register_hook(gather)

    head.register_forward_pre_hook(gather)
    head.register_forward_hook(release)
    release(head, (), torch.zeros(()))
    ours = scored(model, groups)[0]
    assert torch.equal(ours, expected)
    assert head.weight.numel() == 0
    ours.sum().backward()
    assert calls == ["gather", "gather"]
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)
    # Logits too, which generation asks for.
    assert model(torch.tensor([[1, 2]])).logits.shape == (1, 2, whole.shape[0])


def test_score_groups_keeps_the_order_and_needs_no_gradient(tiny, plain, groups_of):
    shape = [(3, (2, 4)), (9, (8, 1, 7)), (1, (1,)), (4, (2, 2)), (6, (5, 5, 5))]
    groups = groups_of(shape)
    model = tiny("llama").train()
    model.model.layers[0].eval()
    theirs = plain(model, groups, 3).detach().numpy()
    enable_completion_scoring(model)
    # Rows of 7, 22, 1, 6 and 18 tokens: 22 + 7 + 1 and 18 + 6 within 30.
    for max_tokens in (1, 30, 1000):
        calls = []
        ours = score_groups(
            model,
            groups,
            max_tokens=max_tokens,
            pad_id=0,
            progress=lambda done, total, calls=calls: calls.append((done, total)),
        )
        for mine, other, (_, answers) in zip(ours, theirs, shape, strict=True):
            assert mine.dtype == np.float64
            assert mine.shape == (len(answers),)
            assert np.allclose(mine, other[: len(answers)], rtol=0, atol=1e-10)
        assert calls[-1] == (5, 5)
        assert len(calls) == {1: 5, 30: 2, 1000: 1}[max_tokens]
    assert model.training
    assert not model.model.layers[0].training


def test_scoring_ignores_dropout(tiny, groups_of):
    model = tiny("llama").train()
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    enable_completion_scoring(model)
    groups = groups_of([(3, (2, 4))])
    first, second = (score_groups(model, groups, max_tokens=99, pad_id=0)[0] for _ in range(2))
    assert np.array_equal(first, second)


class Refused:
    @staticmethod
    def recurrent():
        from transformers import MambaConfig

        config = MambaConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, state_size=2)
        return AutoModelForCausalLM.from_config(config)

    @staticmethod
    def chunked():
        from transformers import Llama4TextConfig

        config = Llama4TextConfig(
            vocab_size=9,
            hidden_size=8,
            intermediate_size=8,
            intermediate_size_mlp=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=4,
            num_local_experts=2,
        )
        return AutoModelForCausalLM.from_config(config)

    @staticmethod
    def own_masks():
        from transformers import GPTNeoConfig

        config = GPTNeoConfig(
            vocab_size=9,
            hidden_size=8,
            num_layers=2,
            num_heads=2,
            attention_types=[[["global", "local"], 1]],
        )
        return AutoModelForCausalLM.from_config(config)

    @staticmethod
    def unknown_head():
        from transformers import HyperCLOVAXConfig

        config = HyperCLOVAXConfig(
            vocab_size=9,
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            logits_scaling=3.0,
        )
        return AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Refused.recurrent, "recurrent layers"),
        (Refused.chunked, "chunked_attention"),
        (Refused.own_masks, "masks of its own"),
        (Refused.unknown_head, "turns hidden states into logits in a way"),
        (lambda: torch.nn.Linear(2, 2), "Linear is not a transformers language model"),
    ],
)
def test_refuses_models_it_would_score_wrongly(model, message):
    with pytest.raises(InvalidSetting, match=message):
        enable_completion_scoring(model())


def test_refuses_an_adapted_head(tiny):
    model = get_peft_model(tiny("qwen2"), LoraConfig(r=2, target_modules=["lm_head"]))
    with pytest.raises(InvalidSetting, match="leave it out of the adapter"):
        enable_completion_scoring(model)


def test_refuses_a_cap_that_the_configuration_does_not_tell(tiny):
    """A cap shows only in large logits: the trial must reach them."""
    model = tiny("llama")
    plain_forward = type(model).forward

    def capping(*args, **kwargs):
        output = plain_forward(model, *args, **kwargs)
        output.logits = 30 * torch.tanh(output.logits / 30)
        return output

    model.forward = capping
    with pytest.raises(InvalidSetting, match="in a way this package does not know"):
        enable_completion_scoring(model)


def test_refuses_rows_beyond_the_positions(tiny, groups_of):
    model = tiny("gpt2")
    enable_completion_scoring(model)
    scored(model, groups_of([(40, (25,))]))  # 64 inputs
    with pytest.raises(UserError, match="takes 65 tokens and the model has 64"):
        scored(model, groups_of([(40, (1, 26))]))


def test_refuses_a_model_that_was_not_enabled(tiny, groups_of):
    with pytest.raises(UserError, match="call enable_completion_scoring first"):
        scored(tiny("llama"), groups_of([(2, (1,))]))
