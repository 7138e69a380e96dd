"""The responses that an update trains on: sampled, or the data's own."""

from collections.abc import Sequence

from mnpo.algorithms.sources import REFERENCE
from mnpo.errors import InvalidSetting
from mnpo.training.data.encoding import encode_response, shown
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.ledger import Ledger
from mnpo.training.online.sampling import SamplingTask, sample_groups
from mnpo.training.online.task import UpdateTask
from mnpo.training.seeds import seed_for
from mnpo.training.workbench import Workbench


def collect_responses(bench: Workbench, task: UpdateTask) -> tuple[GroupDataset, Ledger]:
    """The groups of an update, and what they cost.

    Raises:
        InvalidSetting: given completions for a method that samples from its own policy, or a
            prompt without the completions or demonstration that are wanted.
        UserError: from the backend.
    """
    recipe = bench.recipe
    require_fitting_data(bench, task)
    if recipe.data.use_completions:
        return _given(bench, task.prompts), Ledger(prompts=len(task.prompts))
    if recipe.sampling.support == "given":
        dataset = _given(bench, task.prompts)
        return dataset, Ledger(prompts=len(task.prompts), responses=_count(dataset))
    dataset = sample_groups(
        bench.stages,
        SamplingTask(
            prompts=task.prompts,
            components=task.opponents,
            responses=recipe.sampling.responses,
            seed=seed_for(task.seed, "sample"),
        ),
        backend=bench.backend,
        settings=recipe.sampling,
        contract=bench.contract,
        tokenizer=bench.tokenizer,
    )
    tokens = sum(len(r.ids) for group in dataset.groups for r in group.responses)
    asked_for = len(task.prompts) * recipe.sampling.responses
    counts = Ledger(
        prompts=len(task.prompts),
        responses=asked_for,
        sampled_tokens=tokens,
        dropped=asked_for - _count(dataset),
    )
    if task.update.winners is not None:
        dataset = _with_demonstrations(bench, dataset)
    return dataset, counts


def require_fitting_data(bench: Workbench, task: UpdateTask) -> None:
    """Refuse what can be seen before anything is sampled.

    Raises:
        InvalidSetting: given completions for a method that samples from its own policy, or a
            prompt without the completions or demonstration that are wanted.
    """
    recipe = bench.recipe
    if recipe.data.use_completions and (
        task.update.opponents != ((REFERENCE, 1.0),) or task.update.winners is not None
    ):
        raise InvalidSetting(
            f"{task.method.name} trains on samples of its own policy; data.use_completions "
            "goes with offline methods only (dpo, ipo, simpo, ...)"
        )
    given = recipe.data.use_completions or recipe.sampling.support == "given"
    for prepared in task.prompts:
        prompt = prepared.prompt
        if given and len(prompt.completions) < 2:
            raise InvalidSetting(
                f"prompt {shown(prompt)} has {len(prompt.completions)} completions of its "
                "own and at least 2 are needed; leave out data.use_completions (or "
                "sampling.support=given), or give a chosen and a rejected one"
            )
        if task.update.winners is not None and not prompt.demonstrations:
            raise InvalidSetting(
                f"prompt {shown(prompt)} has no demonstration to imitate; use data with a chosen "
                f"response or a demonstration for each prompt, or leave out {task.method.name}"
            )


def _given(bench: Workbench, prompts: Sequence[PreparedPrompt]) -> GroupDataset:
    """The data's own completions, cut at the length limit as sampled ones are."""
    limit = bench.recipe.sampling.max_new_tokens
    groups = []
    for prepared in prompts:
        prompt = prepared.prompt
        responses = []
        for text in prompt.completions:
            own = tuple(encode_response(bench.tokenizer, prompt, text))
            responses.append(Response(own[:limit], text, finished=len(own) <= limit))
        groups.append(Group(prompt, prepared.ids, tuple(responses)))
    return GroupDataset(bench.contract, tuple(groups))


def _with_demonstrations(bench: Workbench, dataset: GroupDataset) -> GroupDataset:
    """Put each prompt's demonstration before its samples (SPIN)."""
    groups = []
    limit = bench.recipe.sampling.max_new_tokens
    for group in dataset.groups:
        text = group.prompt.demonstrations[0]
        ids = tuple(encode_response(bench.tokenizer, group.prompt, text))
        first = Response(ids[:limit], text, finished=len(ids) <= limit)
        groups.append(Group(group.prompt, group.prompt_ids, (first, *group.responses)))
    return GroupDataset(dataset.contract, tuple(groups))


def _count(dataset: GroupDataset) -> int:
    return sum(len(group.responses) for group in dataset.groups)
