"""Log-probs of an update's responses under its anchors and samplers, through the store."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnpo.training.data.groups import GroupDataset
from mnpo.training.generation.base import Mixture
from mnpo.training.logprobs.store import SummedLogProbs, mix
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.players import Share
from mnpo.training.workbench import Workbench

Array = NDArray[np.float64]


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
    """Log-probs of every response under a policy: from the store, or computed once."""

    def compute() -> list[Array]:
        import torch

        from mnpo.training.engine.failures import out_of_memory
        from mnpo.training.logprobs.forward import enable_completion_scoring
        from mnpo.training.logprobs.scoring import score_groups
        from mnpo.training.models.loading import load_policy

        # The arithmetic of training, so that a policy's log-ratio to itself is zero: float32
        # weights, under autocast where the precision is lower.
        settings = bench.recipe.model
        exact = settings.model_copy(update={"precision": "float32", "lora": None})
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

    if not bench.world.leads:
        bench.world.barrier()
        return bench.log_probs.get(policy, dataset, compute)
    scored = bench.log_probs.get(policy, dataset, compute)
    bench.world.barrier()
    return scored
