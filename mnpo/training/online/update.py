"""One update of one player: sample, ask, pair, score the anchors, train, checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import UserError
from mnpo.training.data.groups import GroupDataset
from mnpo.training.examples import Example
from mnpo.training.ledger import Ledger
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.asking import Answers, ask
from mnpo.training.online.comparisons import (
    Comparisons,
    against_demonstrations,
    choose_pairs,
    weigh_support,
)
from mnpo.training.online.responses import collect_responses
from mnpo.training.online.scoring import anchor_log_probs, mixture_log_probs
from mnpo.training.online.task import UpdateTask
from mnpo.training.online.train_stage import train_update
from mnpo.training.seeds import seed_for
from mnpo.training.workbench import Workbench

Array = NDArray[np.float64]
#: The preferences of an offline pair: the first was chosen.
_CHOSEN_WINS = np.array([[0.5, 1.0], [0.0, 0.5]])


@dataclass(frozen=True)
class UpdateResult:
    """What an update gave.

    Attributes:
        policy: the trained checkpoint.
        log: one JSON line for each gradient step.
        ledger: what it cost.
        dropped: groups left out, and why.
    """

    policy: PolicyCheckpoint
    log: Path
    ledger: Ledger
    dropped: dict[str, int]


def run_update(bench: Workbench, task: UpdateTask) -> UpdateResult:
    """Carry out an update; every stage that is done already is taken over.

    Raises:
        UserError: from any stage; the run can be repeated and continues there.
    """
    dataset, spent = collect_responses(bench, task)
    answers, asked = _answers(bench, task, dataset)
    comparisons = _comparisons(bench, task, dataset, answers)
    kept, dropped = _usable(dataset, comparisons)
    if not kept:
        reasons = ", ".join(f"{n} {why}" for why, n in dropped.items())
        raise UserError(
            f"{task.label}: no comparison is left to train on ({reasons}); raise "
            "sampling.responses or sampling.temperature, or look at the prompts"
        )
    anchors = anchor_log_probs(bench, task.anchors, dataset)
    examples = [
        Example(
            prompt_ids=dataset.groups[i].prompt_ids,
            response_ids=tuple(r.ids for r in dataset.groups[i].responses),
            anchor_log_probs=anchors[i],
            weights=comparisons[i].weights,
            preferences=comparisons[i].preferences,
            values=answers.rewards[i] if answers and answers.rewards else None,
        )
        for i in kept
    ]
    scored = Ledger(
        scored_tokens=len(task.anchors)
        * sum(len(r.ids) for group in dataset.groups for r in group.responses)
    )
    policy, log, trained = train_update(bench, task, examples)
    return UpdateResult(policy, log, spent + asked + scored + trained, dropped)


def _answers(
    bench: Workbench, task: UpdateTask, dataset: GroupDataset
) -> tuple[Answers | None, Ledger]:
    needs_rewards = asks_rewards(task)
    if task.update.winners is not None:
        return None, Ledger()
    if bench.recipe.data.use_completions and not needs_rewards:
        return None, Ledger()
    answers = ask(bench.stages, dataset, task.oracle, rewards=needs_rewards)
    sizes = [len(group.responses) for group in dataset.groups]
    return answers, Ledger(
        preference_queries=sum(size * (size - 1) // 2 for size in sizes),
        annotations=sum(task.oracle.queries(size) for size in sizes),
        rewards=sum(sizes) if needs_rewards else 0,
    )


def asks_rewards(task: UpdateTask) -> bool:
    """Whether the loss regresses on scalar rewards, so that the oracle must have some."""
    if task.method.pair_loss is None:
        return task.update.advantage == "reward"
    from mnpo.losses import get_loss

    return "rewards" in get_loss(task.method.pair_loss.loss).needs


def _comparisons(
    bench: Workbench, task: UpdateTask, dataset: GroupDataset, answers: Answers | None
) -> list[Comparisons]:
    recipe = bench.recipe
    if task.update.winners is not None:
        return [against_demonstrations(len(group.responses) - 1) for group in dataset.groups]
    if recipe.sampling.support == "given":
        assert answers is not None
        mixture = mixture_log_probs(bench, task.opponents, dataset)
        return [
            weigh_support(matrix, log_mu)
            for matrix, log_mu in zip(answers.preferences, mixture, strict=True)
        ]
    if recipe.data.use_completions:
        preferences: Sequence[Array] = [_CHOSEN_WINS] * len(dataset.groups)
    else:
        assert answers is not None
        preferences = answers.preferences
    return [
        choose_pairs(
            preferences[i],
            [r.ids for r in group.responses],
            recipe.pairs,
            seed_for(task.seed, "pairs", i),
        )
        if len(group.responses) > 1
        else Comparisons(np.zeros((len(group.responses),) * 2), np.zeros(()))
        for i, group in enumerate(dataset.groups)
    ]


def _usable(
    dataset: GroupDataset, comparisons: Sequence[Comparisons]
) -> tuple[list[int], dict[str, int]]:
    """Groups with something to compare; the others are counted, by reason."""
    kept: list[int] = []
    dropped: dict[str, int] = {}
    for i, group in enumerate(dataset.groups):
        if len(group.responses) < 2:
            why = "with fewer than two responses"
        elif len({r.ids for r in group.responses}) < 2:
            why = "with identical responses only"
        elif comparisons[i].empty:
            why = "with no pair to choose"
        else:
            kept.append(i)
            continue
        dropped[why] = dropped.get(why, 0) + 1
    return kept, dropped
