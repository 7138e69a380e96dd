"""What more opponents cost: disk for their log-probs, and no training time.

    python benchmarks/opponents.py

The same groups and the same policy are trained with 1, 2, 4 and 8 anchor policies. Their log-probs
come from the log-prob store: computed once (the first column of times), read ever after (the
second), mixed when the examples are formed. Times are a process's own on one thread; ratios are to
one anchor.
"""

import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from mnpo.algorithms import get_algorithm
from mnpo.conversation import Message
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.engine import train, update_objective
from mnpo.training.examples import Example
from mnpo.training.logprobs.forward import enable_completion_scoring
from mnpo.training.logprobs.scoring import score_groups
from mnpo.training.logprobs.store import LogProbStore, mix
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.recipe import ModelSettings, OptimizerSettings
from mnpo.training.tokens import TokenContract

GROUPS, RESPONSES, PROMPT, RESPONSE, WORDS = 16, 4, 64, 48, 2_000
CONTRACT = TokenContract(tokenizer="0" * 64, template="0" * 64, end_ids=(1,), pad_id=0)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS, hidden_size=128, intermediate_size=256, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, attn_implementation="sdpa",
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    data = make_groups()
    print(
        f"{'anchors':>7} {'scored s':>9} {'read s':>7} {'disk kB':>8} {'train s':>8} {'ratio':>6}"
    )
    base = None
    for anchors in (1, 2, 4, 8):
        scored, read, disk, trained = measure(model, data, anchors)
        base = base or trained
        row = f"{anchors:>7} {scored:>9.2f} {read:>7.3f} {disk / 1e3:>8.1f} {trained:>8.2f}"
        print(f"{row} {trained / base:>6.2f}", flush=True)


def measure(
    model: LlamaForCausalLM, data: GroupDataset, anchors: int
) -> tuple[float, float, int, float]:
    """Seconds to score, seconds to read, bytes in the store, seconds to train."""
    token_groups = [(g.prompt_ids, [r.ids for r in g.responses]) for g in data.groups]

    def compute() -> list[np.ndarray]:
        other = copy.deepcopy(model)
        enable_completion_scoring(other)
        return score_groups(other, token_groups, max_tokens=2_048, pad_id=0)

    def refuse() -> list[np.ndarray]:
        raise AssertionError("a stored log-prob was computed again")

    with tempfile.TemporaryDirectory() as folder:
        store = LogProbStore(Path(folder) / "logprobs")
        policies = [PolicyCheckpoint(Path(str(i)), f"{i:064x}") for i in range(anchors)]
        start = time.process_time()
        for policy in policies:
            store.get(policy, data, compute)
        scored = time.process_time() - start
        start = time.process_time()
        sums = [store.get(policy, data, refuse).sums for policy in policies]
        mixed = mix(sums, [1 / anchors] * anchors)
        read = time.process_time() - start
        disk = sum(file.stat().st_size for file in store.root.iterdir())
        random = np.random.default_rng(0)
        examples = [example(group, mixed[i], random) for i, group in enumerate(data.groups)]
        update = get_algorithm("inpo", step_size=5.0, temperature=0.02).updates(0)[0]
        start = time.process_time()
        train(
            copy.deepcopy(model),
            0,
            examples,
            update_objective(update),
            optimizer=OptimizerSettings(learning_rate=1e-4, batch_size=8, micro_batch_tokens=2_048),
            model_settings=ModelSettings(),
            epochs=3,
            seed=0,
            work_dir=Path(folder) / "training",
        )
        return scored, read, disk, time.process_time() - start


def make_groups() -> GroupDataset:
    random = np.random.default_rng(1)

    def words(count: int) -> tuple[int, ...]:
        return tuple(int(word) for word in random.integers(2, WORDS, size=count))

    groups = []
    for number in range(GROUPS):
        prompt = Prompt((Message("user", str(number)),))
        responses = tuple(Response(words(RESPONSE), "", True) for _ in range(RESPONSES))
        groups.append(Group(prompt, words(PROMPT), responses))
    return GroupDataset(CONTRACT, tuple(groups))


def example(group: Group, anchors: np.ndarray, random: np.random.Generator) -> Example:
    upper = np.triu(random.random((RESPONSES, RESPONSES)), 1)
    preferences = upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(RESPONSES)
    off = ~np.eye(RESPONSES, dtype=bool)
    return Example(
        prompt_ids=group.prompt_ids,
        response_ids=tuple(r.ids for r in group.responses),
        anchor_log_probs=anchors,
        weights=off / off.sum(),
        preferences=preferences,
    )


if __name__ == "__main__":
    main()
