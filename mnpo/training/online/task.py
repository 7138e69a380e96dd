"""A resolved update of one player: sources replaced by checkpoints, ready to be carried out."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnpo.algorithms.update import Update
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.generation.base import Mixture
from mnpo.training.methods import Method
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.players import Share
from mnpo.training.oracles.base import PreferenceOracle


@dataclass(frozen=True, eq=False)
class UpdateTask:
    """A resolved update.

    Attributes:
        method: whose it is.
        update: what the algorithm asks for.
        anchors: policies and their weights.
        opponents: components of the sampling mixture.
        current: where training starts.
        oracle: whom the player asks.
        prompts: its share of the iteration's prompts.
        seed: of this iteration, player and update.
        label: how it is called in messages, e.g. "inpo, iteration 2".
    """

    method: Method
    update: Update
    anchors: tuple[Share, ...]
    opponents: tuple[tuple[Mixture, float], ...]
    current: PolicyCheckpoint
    oracle: PreferenceOracle
    prompts: Sequence[PreparedPrompt]
    seed: int
    label: str
