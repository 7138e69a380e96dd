"""An adapter through the loop: its second iteration starts from, and is anchored on, a checkpoint
that is nothing but an adapter."""

import json
from pathlib import Path

import pytest
import torch
from small_recipe import small_values

from mnpo.training.engine import trainer
from mnpo.training.models.loading import load_policy
from mnpo.training.online.loop import Trained, run_method
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import methods_of
from mnpo.training.workbench import Workbench, open_workbench


class Killed(Exception):
    """In place of a kill: nothing catches it."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("lora")

    def open_run(name: str) -> Workbench:
        values = small_values(folder, methods={"sppo": {}})  # whose anchor is the current policy
        values["model"] |= {"lora": {"rank": 4, "alpha": 8}, "gradient_checkpointing": True}
        values["optimizer"] |= {"save_steps": 1}
        return open_workbench(Recipe.model_validate(values), folder / name)

    return open_run


def carry_through(bench: Workbench) -> Trained:
    (method,) = methods_of(bench.recipe).values()
    return run_method(bench, method, 0)


@pytest.fixture(scope="module")
def whole(opened) -> Trained:
    return carry_through(opened("whole"))


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_checkpoint_is_an_adapter_of_the_start(whole: Trained, opened) -> None:
    ((start, first, second),) = whole.policies
    before = {}
    for policy in (first, second):
        assert (policy.path / "adapter_model.safetensors").is_file()
        assert not (policy.path / "model.safetensors").exists()
        config = json.loads((policy.path / "adapter_config.json").read_text())
        assert Path(config["base_model_name_or_path"]) == start.path.resolve()
        model = load_policy(policy, opened("whole").recipe.model, "cpu", for_training=True)
        found = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        assert found.keys() == {name for name, _ in model.named_parameters() if "lora_" in name}
        for name, weight in found.items():
            assert not torch.equal(weight, before.get(name, torch.zeros_like(weight)))
        before = found


def test_the_second_iteration_starts_at_its_anchor(whole: Trained) -> None:
    for log in whole.logs:
        first, *_, last = records(log.path)
        # On data that the policy itself gave: zero but for rounding, until a step has been made.
        assert abs(first["log_ratio"]) < 1e-5
        assert first["kl"] < 1e-9
        assert last["kl"] > 1e-4


@pytest.mark.parametrize("iteration", [1, 2])
def test_stopped_in_mid_iteration(whole, opened, monkeypatch, iteration: int) -> None:
    """Between two steps of one iteration; the steps that are there are not made again."""
    bench = opened(f"stopped-{iteration}")
    true = trainer.GroupTrainer.training_step
    steps: list[int] = []

    def dies(self, *args):
        steps.append(self.state.global_step)
        if len(steps) == 2 * iteration:
            raise Killed
        return true(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.GroupTrainer, "training_step", dies)
        with pytest.raises(Killed):
            carry_through(bench)
        resumed = steps[-1:]
        patch.setattr(
            trainer.GroupTrainer,
            "training_step",
            lambda self, *args: (resumed.append(self.state.global_step), true(self, *args))[1],
        )
        again = carry_through(opened(f"stopped-{iteration}"))
    assert resumed[:2] == [1, 1]
    assert [p.sha256 for p in again.final] == [p.sha256 for p in whole.final]
    for one, other in zip(again.logs, whole.logs, strict=True):
        kept = [[r | {"seconds": 0} for r in records(log.path)] for log in (one, other)]
        assert kept[0] == kept[1]
