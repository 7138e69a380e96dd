"""Log-probs of an update's responses under its anchors and samplers, through the store."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import DamagedRun
from mnpo.training.data.groups import GroupDataset
from mnpo.training.generation.base import Mixture
from mnpo.training.logprobs.store import SummedLogProbs, mix
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.players import Share
from mnpo.training.shards import is_done, read_shard, write_shard
from mnpo.training.workbench import Workbench

Array = NDArray[np.float64]
#: Groups in one piece of work that processes deal out.
PIECE = 32


def anchor_log_probs(
    bench: Workbench, anchors: Sequence[Share], dataset: GroupDataset
) -> list[Array]:
    """(K,) sum_j weight_j log anchor_j for each group, nats; zeros without anchors."""
    if not anchors:
        return [np.zeros(len(group.responses)) for group in dataset.groups]
    scored = [_scored(bench, policy, dataset).sums for policy, _ in anchors]
    return mix(scored, [weight for _, weight in anchors])


def mixture_log_probs(
    bench: Workbench, components: Sequence[tuple[Mixture, float]], dataset: GroupDataset
) -> list[Array]:
    """Log-probs of a given support under an arithmetic mixture of (geometric) mixtures."""
    total: list[Array] = [np.full(len(g.responses), -np.inf) for g in dataset.groups]
    for mixture, weight in components:
        parts = mix(
            [_scored(bench, policy, dataset).sums for policy, _ in mixture],
            [share for _, share in mixture],
        )
        for i, log_probs in enumerate(parts):
            normal = log_probs - np.logaddexp.reduce(log_probs)
            total[i] = np.logaddexp(total[i], np.log(weight) + normal)
    return total


def _scored(bench: Workbench, policy: PolicyCheckpoint, dataset: GroupDataset) -> SummedLogProbs:
    """Log-probs of every response under a policy: from the store, or computed once.

    Several processes share the groups out in pieces, which are kept until all are there.
    """
    store = bench.log_probs
    if bench.world.size == 1:
        return store.get(policy, dataset, lambda: _score(bench, policy, dataset))
    place = store.path(policy, dataset)
    there = place.is_file()
    bench.world.barrier()  # everybody has looked before anybody writes
    if there:
        if bench.world.leads:  # who makes it again if it is damaged
            store.get(policy, dataset, lambda: _score(bench, policy, dataset))
        bench.world.barrier()
        return store.get(policy, dataset, _nobody)
    pieces = place.with_name(f"{place.name}.pieces")
    files = _score_pieces(bench, policy, dataset, pieces)
    bench.world.barrier()
    if bench.world.leads:
        store.get(policy, dataset, lambda: [np.array(r) for f in files for r in read_shard(f)])
        shutil.rmtree(pieces)
    bench.world.barrier()
    return store.get(policy, dataset, _nobody)


def _nobody() -> list[Array]:
    raise DamagedRun("log-probs that were just stored are gone; repeat the command")


def _score_pieces(
    bench: Workbench, policy: PolicyCheckpoint, dataset: GroupDataset, folder: Path
) -> list[Path]:
    """This process's pieces of the groups, scored; the files of all pieces in order."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = dataset.groups
    starts = range(0, len(groups), PIECE)
    files = [folder / f"{start:07d}.json" for start in starts]
    mine = [
        (file, start)
        for number, (file, start) in enumerate(zip(files, starts, strict=True))
        if number % bench.world.size == bench.world.rank and not is_done(file)
    ]
    if mine:
        own = [group for _, start in mine for group in groups[start : start + PIECE]]
        scored = _score(bench, policy, GroupDataset(dataset.contract, tuple(own)))
        for number, (file, _) in enumerate(mine):
            write_shard(file, [row.tolist() for row in scored[number * PIECE :][:PIECE]])
    return files


def _score(bench: Workbench, policy: PolicyCheckpoint, dataset: GroupDataset) -> list[Array]:
    import torch

    from mnpo.training.engine.failures import no_room, out_of_memory
    from mnpo.training.logprobs.forward import enable_completion_scoring
    from mnpo.training.logprobs.scoring import score_groups
    from mnpo.training.models.loading import load_policy

    # The arithmetic of training, so that a policy's log-ratio to itself is zero: float32
    # weights, under autocast where the precision is lower.
    settings = bench.recipe.model
    exact = settings.model_copy(update={"precision": "float32", "lora": None})
    with no_room():
        model = load_policy(policy, exact, bench.device, for_training=False)
    enable_completion_scoring(model)
    half = settings.precision == "bfloat16"
    most = bench.recipe.optimizer.micro_batch_tokens
    with (
        out_of_memory(most),
        torch.autocast(torch.device(bench.device).type, torch.bfloat16, enabled=half),
    ):
        return score_groups(
            model,
            [(g.prompt_ids, tuple(r.ids for r in g.responses)) for g in dataset.groups],
            max_tokens=most,
            pad_id=bench.contract.pad_id,
        )
