"""Tiny models and random groups for the engine's tests."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mnpo.training.engine import TrainResult, train
from mnpo.training.examples import Example
from mnpo.training.recipe import ModelSettings, OptimizerSettings

VOCABULARY = 64


def tiny_llama(**settings: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        **{
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 64,
            "initializer_range": 0.1,
        }
        | settings
    )
    return LlamaForCausalLM(config)


def adapted(folder: Path, settings: ModelSettings) -> Any:
    """The tiny model, saved once, with the adapter that a run gives it."""
    from mnpo.training.models.loading import load_policy
    from mnpo.training.models.policy import PolicyCheckpoint

    if not folder.exists():
        tiny_llama().save_pretrained(folder)
    return load_policy(PolicyCheckpoint(folder, "0" * 64), settings, "cpu", for_training=True)


def random_examples(number: int, *, most: int = 4, seed: int = 0, **fields: Any) -> list[Example]:
    """Groups of 2 to ``most`` responses; anchors near what a random model gives them."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        k = int(rng.integers(2, most + 1))
        preferences = rng.uniform(size=(k, k))
        preferences = preferences / (preferences + preferences.T)
        weights = rng.uniform(size=(k, k)) * (1 - np.eye(k))
        responses = [rng.integers(1, VOCABULARY, size=rng.integers(1, 9)) for _ in range(k)]
        lengths = np.array([len(ids) for ids in responses])
        found.append(
            Example(
                prompt_ids=tuple(rng.integers(1, VOCABULARY, size=rng.integers(1, 9)).tolist()),
                response_ids=tuple(tuple(ids.tolist()) for ids in responses),
                anchor_log_probs=-lengths * rng.uniform(4.0, 4.4, size=k),
                weights=weights / weights.sum(),
                preferences=preferences,
                values=rng.normal(size=k),
                **fields,
            )
        )
    return found


def as_pairs(examples: list[Example]) -> list[Example]:
    """The first two responses of each group, the first one chosen."""
    one = np.array([[0.0, 1.0], [0.0, 0.0]])
    return [
        Example(
            prompt_ids=e.prompt_ids,
            response_ids=e.response_ids[:2],
            anchor_log_probs=e.anchor_log_probs[:2],
            weights=one,
            preferences=np.array([[0.5, 1.0], [0.0, 0.5]]),
        )
        for e in examples
    ]


def run(
    model: Any,
    examples: list[Example],
    objective: Any,
    folder: Path,
    *,
    epochs: int = 1,
    seed: int = 0,
    model_settings: ModelSettings | None = None,
    callbacks: Sequence[Any] = (),
    **optimizer: Any,
) -> TrainResult:
    settings = {"batch_size": 4, "micro_batch_tokens": 70, "learning_rate": 1e-3} | optimizer
    return train(
        model,
        0,
        examples,
        objective,
        optimizer=OptimizerSettings(**settings),
        model_settings=model_settings or ModelSettings(),
        epochs=epochs,
        seed=seed,
        work_dir=folder,
        callbacks=callbacks,
    )


@torch.no_grad()
def log_probs(model: Any, prompt: tuple[int, ...], response: tuple[int, ...]) -> float:
    """By a plain forward of prompt and response alone."""
    logits = model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
    return float(logits.log_softmax(-1).gather(1, torch.tensor(response)[:, None]).sum())


def distance(a: Any, b: Any) -> float:
    """Largest difference between the weights of two models."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max((p - q).abs().max().item() for p, q in pairs)


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(
        tiny_llama=tiny_llama,
        adapted=adapted,
        random_examples=random_examples,
        as_pairs=as_pairs,
        run=run,
        distance=distance,
        log_probs=log_probs,
    )
