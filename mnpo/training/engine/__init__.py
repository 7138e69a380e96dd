"""The gradient steps of one iteration: groups of responses, an objective, a policy.

`train` runs them on transformers' Trainer, alone or under ``accelerate launch``, and goes on from
its own checkpoints. `update_objective` gives the loss of an algorithm's update,
`pair_loss_objective` that of a stand-alone loss.
"""

from mnpo.training.engine.batches import MicroBatch, Step, plan_batches
from mnpo.training.engine.iteration import TrainResult, train
from mnpo.training.engine.objectives import (
    PairLossObjective,
    UpdateObjective,
    pair_loss_objective,
    update_objective,
)
from mnpo.training.engine.trainer import GroupTrainer

__all__ = [
    "GroupTrainer",
    "MicroBatch",
    "PairLossObjective",
    "Step",
    "TrainResult",
    "UpdateObjective",
    "pair_loss_objective",
    "plan_batches",
    "train",
    "update_objective",
]
