"""A script for ``accelerate launch``: train and save the tiny model, its parameters shared out.

accelerate leaves FSDP2 out where there is no GPU, though torch shares parameters out over gloo
just as well; here it is talked into it. What follows is its own way of FSDP2, from wrapping to
checkpoints.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from conftest import adapted, random_examples, run
from test_sharded import KINDS, OBJECTIVE
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback

from mnpo.training.models.card import ModelCard
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.saving import save_policy
from mnpo.training.models.tiny import make_tokenizer
from mnpo.training.recipe import ModelSettings

true_init = AcceleratorState.__init__


def with_fsdp(self: Any, *args: Any, fsdp_plugin: Any = None, **kwargs: Any) -> None:
    """What accelerate does on GPUs, done for processes on CPUs too."""
    true_init(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
    if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
        if self._mixed_precision != "no":
            fsdp_plugin.set_mixed_precision(self._mixed_precision)
        self.fsdp_plugin = fsdp_plugin
        self.distributed_type = DistributedType.FSDP
        PartialState._shared_state["distributed_type"] = DistributedType.FSDP


class Watch(TrainerCallback):
    """Which parameters are shared out while training."""

    shared: dict[str, bool]

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        self.shared = {
            name: isinstance(p, DTensor) and p.to_local().numel() < p.numel()
            for name, p in model.named_parameters()
        }


def train_and_save(folder: Path, settings: ModelSettings) -> dict[str, Any]:
    model = adapted(folder.parent / "start", settings)
    watch = Watch()
    result = run(
        model,
        random_examples(9),
        OBJECTIVE,
        folder,
        save_steps=2,
        model_settings=settings,
        callbacks=[watch],
    )
    weights = result.weights
    if weights is None or weights:
        save_policy(
            model,
            make_tokenizer(300),
            folder / "policy",
            ModelCard(title="A test", algorithm="none", base_model="none"),
            base=PolicyCheckpoint(folder.parent / "start", "0" * 64),
            weights=weights,
        )
    return {
        "steps": result.steps,
        "gathered": None if weights is None else len(weights),
        "shared": watch.shared,
    }


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    for kind in sys.argv[2:]:
        own = folder / kind
        if kind == "again" and rank == 0:
            shutil.copytree(folder / "full" / "checkpoint-2", own / "checkpoint-2")
        told = train_and_save(own, KINDS.get(kind, KINDS["full"]))
        (own / f"rank-{rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    AcceleratorState.__init__ = with_fsdp  # type: ignore[method-assign]
    main()
