"""The sampling stage: K responses for each prompt from the update's opponents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.runs.files import digest
from mnpo.training.data.files import load_groups, save_groups
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.generation.base import Backend, Completion, Mixture
from mnpo.training.recipe import SamplingSettings
from mnpo.training.resuming import FREE
from mnpo.training.seeds import seed_for
from mnpo.training.shards import is_done, read_shard, write_shard
from mnpo.training.stages import SCRATCH, StageStore
from mnpo.training.tokens import TokenContract, decode

#: Settings that move speed or the size of a restart; a token only where rounding decides.
_INERT = {"shard_size", "server", "support", *FREE["sampling"]}


@dataclass(frozen=True)
class SamplingTask:
    """What is to be sampled.

    Attributes:
        prompts: what to answer.
        components: the arithmetic mixture of samplers; each response draws its own component.
        responses: K.
        seed: of the draws.
    """

    prompts: Sequence[PreparedPrompt]
    components: Sequence[tuple[Mixture, float]]
    responses: int
    seed: int


def sample_groups(
    store: StageStore,
    task: SamplingTask,
    *,
    backend: Backend,
    settings: SamplingSettings,
    contract: TokenContract,
    tokenizer: Any,
) -> GroupDataset:
    """The groups of a task, sampled now or taken from the store.

    Shards of prompts are finished one by one, so that a killed run continues with the next one;
    processes of a distributed run take turns by shard. A response of which nothing remains (no
    token at all) is dropped, and counted by the length of its group.

    Raises:
        UserError: from the backend.
    """
    counts = allocate(len(task.prompts), task.responses, task.components, task.seed)
    inputs = {
        "contract": contract.describe(),
        # The groups carry what the data knows of a prompt as well.
        "prompts": digest(
            [[p.key, p.prompt.demonstrations, p.prompt.completions, p.ids] for p in task.prompts]
        ),
        "components": [
            [[[policy.sha256, share] for policy, share in mixture], weight]
            for mixture, weight in task.components
        ],
        "responses": task.responses,
        "seed": task.seed,
        "settings": settings.model_dump(mode="json", exclude=_INERT),
        "token_ids": settings.server.token_ids if settings.server else None,
        "shards": settings.shard_size,
    }

    def make(folder: Path) -> None:
        scratch = folder / SCRATCH
        scratch.mkdir(exist_ok=True)
        shards = _shards(len(task.prompts), settings.shard_size)
        for component, (mixture, _) in enumerate(task.components):
            mine = [
                index
                for index in range(len(shards))
                if index % store.world.size == store.world.rank
                and counts[component, shards[index]].any()
                and not is_done(_shard_file(scratch, component, index))
            ]
            if not mine:
                continue
            with backend.open(mixture) as sampler:
                for index in mine:
                    chosen = shards[index]
                    drawn = sampler.draw(
                        [task.prompts[i].ids for i in chosen],
                        [int(n) for n in counts[component, chosen]],
                        seed=seed_for(task.seed, "shard", component, index),
                    )
                    rows = [[[list(c.ids), c.finished] for c in row] for row in drawn]
                    write_shard(_shard_file(scratch, component, index), rows)
        store.world.barrier()
        if store.world.leads:
            groups = _merge(scratch, task, counts, shards, tokenizer)
            save_groups(GroupDataset(contract, groups), folder / "groups.jsonl.gz")

    folder = store.build("sample", inputs, make)
    return load_groups(folder / "groups.jsonl.gz")


def allocate(
    prompts: int, responses: int, components: Sequence[tuple[Mixture, float]], seed: int
) -> np.ndarray:
    """How many responses each component gives to each prompt, (components, prompts).

    Each of the K responses draws its component independently, so that pairs of responses are iid
    from the arithmetic mixture (Proposition 1's condition; theory: unequal opponents).
    """
    weights = np.array([weight for _, weight in components], dtype=float)
    if len(components) == 1:
        return np.full((1, prompts), responses)
    random = np.random.default_rng(seed_for(seed, "components"))
    return random.multinomial(responses, weights / weights.sum(), size=prompts).T


def _shards(prompts: int, size: int) -> list[list[int]]:
    return [list(range(first, min(first + size, prompts))) for first in range(0, prompts, size)]


def _shard_file(folder: Path, component: int, index: int) -> Path:
    return folder / f"shard-{component}-{index:05d}.json"


def _read(file: Path) -> list[list[Completion]]:
    return [[Completion(tuple(ids), ended) for ids, ended in row] for row in read_shard(file)]


def _merge(
    folder: Path,
    task: SamplingTask,
    counts: np.ndarray,
    shards: list[list[int]],
    tokenizer: Any,
) -> tuple[Group, ...]:
    responses: list[list[Response]] = [[] for _ in task.prompts]
    for component in range(len(task.components)):
        for index, chosen in enumerate(shards):
            if not counts[component, chosen].any():
                continue
            for i, completions in zip(
                chosen, _read(_shard_file(folder, component, index)), strict=True
            ):
                responses[i] += [
                    Response(c.ids, decode(tokenizer, c.ids), c.finished, component)
                    for c in completions
                    if c.ids
                ]
    if len(task.components) > 1:
        # Drawn component by component; shuffled, so that disjoint pairs are iid as well.
        for i, own in enumerate(responses):
            np.random.default_rng(seed_for(task.seed, "order", i)).shuffle(own)
    return tuple(
        Group(prepared.prompt, prepared.ids, tuple(own))
        for prepared, own in zip(task.prompts, responses, strict=True)
    )
