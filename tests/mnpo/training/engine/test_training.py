"""Invariants of training: what must not change the result, and what must."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.engine import pair_loss_objective, plan_batches
from mnpo.training.engine.modes import without_dropout
from mnpo.training.logprobs.forward import enable_completion_scoring
from mnpo.training.recipe import LoraSettings, ModelSettings

IPO = pair_loss_objective("ipo", {"temperature": 0.1})


@pytest.fixture(scope="module")
def examples(lab: Any) -> Any:
    return lab.random_examples(10)


@pytest.fixture(scope="module")
def start(lab: Any) -> Any:
    return lab.tiny_llama().double()


def trained(lab: Any, start: Any, examples: Any, folder: Path, **settings: Any) -> Any:
    model = copy.deepcopy(start)
    result = lab.run(model, examples, settings.pop("objective", IPO), folder, **settings)
    return model, result


def test_how_a_step_is_split_does_not_matter(lab, start, examples, tmp_path) -> None:
    whole, _ = trained(lab, start, examples, tmp_path / "a", micro_batch_tokens=10_000, epochs=2)
    assert lab.distance(whole, start) > 1e-3
    for tokens in (1, 40, 70):
        split, result = trained(
            lab, start, examples, tmp_path / str(tokens), micro_batch_tokens=tokens, epochs=2
        )
        assert lab.distance(split, whole) < 1e-10
        assert result.tokens == 2 * sum(e.tokens for e in examples)


def test_the_naive_loop(lab, start, examples, tmp_path) -> None:
    """AdamW by hand over plain forwards of each response alone."""
    ours, result = trained(
        lab, start, examples, tmp_path, epochs=2, weight_decay=0.1, max_grad_norm=0.5
    )
    model = copy.deepcopy(start)
    # transformers decays no norms, which is the convention everywhere.
    decayed = [p for p in model.parameters() if p.ndim > 1]
    kept = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": kept, "weight_decay": 0.0}], lr=1e-3
    )
    plan = plan_batches([1] * len(examples), batch_size=4, micro_batch_tokens=1, epochs=2, seed=0)
    warmup = 1
    for number, step in enumerate(plan):
        loss = torch.zeros((), dtype=torch.float64)
        for i in step.groups:
            e = examples[i]
            f = torch.stack(
                [_log_prob(model, e.prompt_ids, ids) for ids in e.response_ids]
            ) - torch.tensor(e.anchor_log_probs)
            p, w = torch.tensor(e.preferences), torch.tensor(e.weights)
            gap = f[:, None] - f[None, :]
            loss = loss + (w * (p * (gap - 5) ** 2 + (1 - p) * (gap + 5) ** 2)).sum() / step.size
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        done = (number - warmup) / (len(plan) - warmup)
        rate = 1e-3 if number < warmup else 1e-3 * 0.5 * (1 + np.cos(np.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    assert lab.distance(ours, model) < 1e-7
    assert result.metrics["loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert result.metrics["grad_norm"] == pytest.approx(float(norm), rel=1e-5)


def _log_prob(model: Any, prompt: tuple[int, ...], response: tuple[int, ...]) -> torch.Tensor:
    logits = model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(response)[:, None]).sum()


def test_gradient_checkpointing_changes_nothing(lab, start, examples, tmp_path) -> None:
    plain, _ = trained(lab, start, examples, tmp_path / "a")
    settings = ModelSettings(gradient_checkpointing=True)
    calls = []
    model = copy.deepcopy(start)
    model.model.layers[0].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    lab.run(model, examples, IPO, tmp_path / "b", model_settings=settings)
    assert not model.is_gradient_checkpointing
    assert lab.distance(model, plain) < 1e-10
    recomputed = len(calls)
    calls.clear()
    lab.run(model, examples, IPO, tmp_path / "c")
    assert recomputed == 2 * len(calls)


def test_dropout_is_off_while_training(lab, examples, tmp_path) -> None:
    plain, _ = trained(lab, lab.tiny_llama(), examples, tmp_path / "a")
    noisy = lab.tiny_llama(attention_dropout=0.5)
    with without_dropout(noisy):
        assert noisy.model.layers[0].self_attn.attention_dropout == 0
    assert noisy.model.layers[0].self_attn.attention_dropout == 0.5
    model, _ = trained(lab, noisy, examples, tmp_path / "b")
    assert lab.distance(model, plain) == 0
    settings = ModelSettings(lora=LoraSettings(dropout=0.1))
    with pytest.raises(InvalidSetting, match=r"model\.lora\.dropout must be 0"):
        lab.run(model, examples, IPO, tmp_path / "c", model_settings=settings)


def test_bfloat16_keeps_master_weights(lab, examples, tmp_path) -> None:
    exact, _ = trained(lab, lab.tiny_llama(), examples, tmp_path / "a", learning_rate=1e-4)
    half = lab.tiny_llama()
    enable_completion_scoring(half)
    forward = half.forward.__func__
    lab.run(
        half,
        examples,
        IPO,
        tmp_path / "b",
        learning_rate=1e-4,
        model_settings=ModelSettings(precision="bfloat16"),
    )
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    assert half.forward.__func__ is forward  # no autocast left around it
    moved = lab.distance(exact, lab.tiny_llama())
    assert 0 < lab.distance(half, exact) < 2 * moved
    upcast, _ = trained(
        lab,
        lab.tiny_llama().bfloat16(),
        examples,
        tmp_path / "c",
        model_settings=ModelSettings(precision="bfloat16"),
    )
    assert {p.dtype for p in upcast.parameters()} == {torch.float32}


def test_lora_trains_the_adapter_alone(lab, examples, tmp_path) -> None:
    settings = ModelSettings(lora=LoraSettings(rank=4), gradient_checkpointing=True)
    before, model = (lab.adapted(tmp_path / "start", settings) for _ in range(2))
    run = {"model_settings": settings, "learning_rate": 1e-2}
    assert lab.run(model, examples, IPO, tmp_path / "a", **run).steps == 3
    pairs = zip(model.named_parameters(), before.parameters(), strict=True)
    moved = {name: not torch.equal(p, q) for (name, p), q in pairs}
    assert {name for name, changed in moved.items() if changed} == {
        name for name in moved if "lora_" in name
    }
    assert not model.is_gradient_checkpointing


def test_the_log(lab, start, examples, tmp_path) -> None:
    _, result = trained(lab, start, examples, tmp_path, epochs=2)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert result.steps == 6
    assert result.metrics == records[-1]
    assert result.seconds == pytest.approx(sum(record["seconds"] for record in records))
    first = records[0]
    (step, *_) = plan_batches(
        [1] * len(examples), batch_size=4, micro_batch_tokens=1, epochs=2, seed=0
    )
    margin, mean, best, worst, kl = [], [], [], [], []
    for e in (examples[i] for i in step.groups):
        log_probs = np.array([lab.log_probs(start, e.prompt_ids, ids) for ids in e.response_ids])
        f = log_probs - e.anchor_log_probs
        sign = np.sign(e.preferences - 0.5)
        margin.append((e.weights * sign * (f[:, None] - f[None, :])).sum())
        mean.append(f.mean())
        kl.append(np.var(f, ddof=1) / 2)
        best.append(log_probs[np.argmax(e.values)])
        worst.append(log_probs[np.argmin(e.values)])
    expected = {
        "margin": np.mean(margin),
        "log_ratio": np.mean(mean),
        "kl": np.mean(kl),
        "best_log_prob": np.mean(best),
        "worst_log_prob": np.mean(worst),
        "tokens": sum(examples[i].tokens for i in step.groups),
        "learning_rate": 1e-3,
    }
    assert {key: first[key] for key in expected} == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_is_not_finite(lab, start, examples, tmp_path) -> None:
    calls = iter(range(100))

    def objective(log_probs: Any, batch: Any) -> Any:
        losses = IPO(log_probs, batch)
        return losses * float("nan") if next(calls) == 2 else losses

    with pytest.raises(UserError, match=r"step 3: .* lower optimizer.learning_rate"):
        trained(
            lab,
            start,
            examples,
            tmp_path,
            objective=objective,
            micro_batch_tokens=9_999,
            save_steps=1,
        )
    assert not (tmp_path / "checkpoint-3").exists()
    assert (tmp_path / "checkpoint-2" / "seal.json").exists()
    broken = copy.deepcopy(start)
    broken.model.norm.weight.data[3] = float("nan")
    with pytest.raises(UserError, match="step 1: a log-probability of the policy is NaN"):
        trained(lab, broken, examples, tmp_path / "b")


@pytest.mark.parametrize("kind", ["cuda", "cpu"])
def test_out_of_memory_names_the_knobs(lab, start, examples, tmp_path, kind) -> None:
    def objective(log_probs: Any, batch: Any) -> Any:
        if kind == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.empty(10**15)  # more than any machine has

    knobs = r"micro_batch_tokens, then set model.gradient_checkpointing, then .*max_new_tokens"
    with pytest.raises(UserError, match=f"out of memory with micro-batches of 70 .*{knobs}"):
        trained(lab, start, examples, tmp_path, objective=objective)


def test_trackers_get_the_measures(lab, start, examples, tmp_path) -> None:
    from transformers import TrainerCallback

    from mnpo.training.engine import train
    from mnpo.training.recipe import OptimizerSettings

    seen: list[dict[str, Any]] = []

    class Tracker(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any, **kwargs: Any) -> None:
            seen.append(logs)

    train(
        copy.deepcopy(start),
        0,
        examples,
        IPO,
        optimizer=OptimizerSettings(batch_size=10),
        model_settings=ModelSettings(),
        epochs=1,
        seed=0,
        work_dir=tmp_path,
        callbacks=[Tracker()],
    )
    assert {"loss", "margin", "kl", "log_ratio", "grad_norm"} <= set(seen[0])
