"""The training stage: gradient steps on an update's examples, and the checkpoint they give."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnpo.runs.environment import environment
from mnpo.runs.files import write_atomically
from mnpo.training.examples import Example, digest_examples
from mnpo.training.ledger import Ledger
from mnpo.training.models.card import ModelCard
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.task import UpdateTask
from mnpo.training.resuming import FREE
from mnpo.training.seeds import seed_for
from mnpo.training.stages import SCRATCH
from mnpo.training.workbench import Workbench

#: Where transformers' TensorBoard callback writes.
_TENSORBOARD = "TENSORBOARD_LOGGING_DIR"


def train_update(
    bench: Workbench, task: UpdateTask, examples: Sequence[Example]
) -> tuple[PolicyCheckpoint, Path, Ledger]:
    """Train, or take over what was trained from the same start on the same numbers.

    Returns:
        the checkpoint, the log with a JSON line a step, and the counts.

    Raises:
        UserError: the loss is not finite; memory or disk ran out.
    """
    recipe = bench.recipe
    seed = seed_for(task.seed, "train") % 2**31  # what numpy's global generator takes
    objective = describe_objective(task)
    inputs = {
        "start": task.current.sha256,
        "examples": digest_examples(examples),
        "objective": objective,
        # Without settings that only split the work: changing them must not train it again.
        "optimizer": recipe.optimizer.model_dump(mode="json", exclude=set(FREE["optimizer"])),
        "model": recipe.model.model_dump(mode="json", exclude={"name", "revision", *FREE["model"]}),
        "epochs": recipe.budget.epochs,
        "seed": seed,
    }

    def make(folder: Path) -> None:
        from mnpo.training.engine.failures import no_room
        from mnpo.training.engine.iteration import train
        from mnpo.training.engine.objectives import pair_loss_objective, update_objective
        from mnpo.training.models.loading import load_policy
        from mnpo.training.models.saving import save_policy

        loss = task.method.pair_loss
        with no_room():
            model = load_policy(task.current, recipe.model, bench.device, for_training=True)
        with _trackers_beside(bench.stages.root, folder):
            result = train(
                model,
                bench.contract.pad_id,
                examples,
                update_objective(task.update)
                if loss is None
                else pair_loss_objective(loss.loss, loss.settings),
                optimizer=recipe.optimizer,
                model_settings=recipe.model,
                epochs=recipe.budget.epochs,
                seed=seed,
                work_dir=folder / SCRATCH,
                report_to=recipe.report_to,
            )
        if bench.world.leads:
            save_policy(
                model,
                bench.tokenizer,
                folder / "policy",
                _card(bench),
                base=bench.start,
                weights=result.weights,
            )
            write_atomically(folder / "log.jsonl", (folder / SCRATCH / "log.jsonl").read_bytes())
            write_atomically(folder / "result.json", json.dumps(result.describe()) + "\n")

    folder = bench.stages.build("train", inputs, make)
    return _read_policy(folder, examples, recipe.budget.epochs)


@contextmanager
def _trackers_beside(stages: Path, working: Path) -> Iterator[None]:
    """Let TensorBoard write beside the stages: the working folder's scratch goes with it.

    A folder that the environment names is the user's choice.
    """
    if _TENSORBOARD in os.environ:
        yield
        return
    name = working.name.removeprefix(".").removesuffix(".working")
    os.environ[_TENSORBOARD] = str(stages.parent / "tensorboard" / name)
    try:
        yield
    finally:
        del os.environ[_TENSORBOARD]


def _read_policy(
    folder: Path, examples: Sequence[Example], epochs: int
) -> tuple[PolicyCheckpoint, Path, Ledger]:
    from mnpo.training.models.hashing import hash_policy

    result = json.loads((folder / "result.json").read_text())
    policy = PolicyCheckpoint(folder / "policy", hash_policy(folder / "policy"))
    return (
        policy,
        folder / "log.jsonl",
        Ledger(
            gradient_steps=int(result["steps"]),
            trained_groups=epochs * len(examples),
            trained_tokens=epochs * sum(example.tokens for example in examples),
        ),
    )


def describe_objective(task: UpdateTask) -> dict[str, Any]:
    """What the loss is, apart from the data."""
    if task.method.pair_loss is not None:
        return task.method.describe()
    return {
        "distance": str(task.update.distance),
        "step_size": float(task.update.step_size),
        "advantage": task.update.advantage,
        "demonstrations": task.update.winners is not None,
    }


def _card(bench: Workbench) -> ModelCard:
    """The card of a checkpoint inside a stage, which several methods may share."""
    return ModelCard(
        title="A checkpoint of mnpo-bench",
        algorithm="see policies",
        base_model=bench.recipe.model.name,
        base_sha256=bench.start.sha256,
        summary="Several methods may share this checkpoint. The policies that a run exports carry "
        "cards of their own: method, settings, data, and what it cost.",
        data=bench.data.hashes,
        versions=environment()["versions"],
    )
