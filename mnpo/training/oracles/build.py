"""From a recipe's oracle settings to the oracle."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.errors import InvalidSetting
from mnpo.training.oracles import combine
from mnpo.training.oracles.base import PreferenceOracle, require_rewards
from mnpo.training.oracles.matrix import MatrixOracle, read_matrix
from mnpo.training.oracles.rules import build_rule
from mnpo.training.oracles.settings import (
    JudgeSettings,
    LengthFreeSettings,
    MajoritySettings,
    MatrixSettings,
    MixtureSettings,
    NoisySettings,
    OracleSettings,
    PairModelSettings,
    RandomAnnotatorSettings,
    RewardModelSettings,
    RuleSettings,
    SumSettings,
)

#: Finds a game's preference matrix by its name and parameters.
Games = Callable[[str, Mapping[str, Any]], np.ndarray]


def build_oracle(
    settings: OracleSettings,
    *,
    device: str = "cpu",
    games: Games | None = None,
    folder: Path | None = None,
) -> PreferenceOracle:
    """The oracle that the settings name, models loaded.

    Args:
        settings: checked settings of any kind.
        device: where models run, as torch calls it.
        games: finds the matrix of ``game: NAME``, whose simulator this package does not know.
        folder: where a judge keeps its answers when its settings name no file; None keeps none.

    Raises:
        InvalidSetting: a package, model, file or game that is not there; an oracle without rewards
            where rewards are needed.
    """

    def build(inner: OracleSettings) -> PreferenceOracle:
        return build_oracle(inner, device=device, games=games, folder=folder)

    match settings:
        case RuleSettings():
            return build_rule(settings, device)
        case SumSettings():
            parts = [require_rewards(build(part), "oracle kind sum") for part in settings.parts]
            return combine.RewardSum(parts, settings.weights, settings.scale)
        case LengthFreeSettings():
            inner = require_rewards(build(settings.oracle), "oracle kind length-free")
            return combine.LengthFree(inner, settings.reward_per_word, settings.scale)
        case MatrixSettings():
            return _matrix(settings, games)
        case MixtureSettings():
            return combine.Mixture([build(a) for a in settings.annotators], settings.weights)
        case MajoritySettings():
            return combine.Majority([build(a) for a in settings.annotators], settings.votes)
        case RandomAnnotatorSettings():
            return combine.RandomAnnotator(
                [build(a) for a in settings.annotators],
                settings.weights,
                per=settings.per,
                seed=settings.seed,
            )
        case NoisySettings():
            return combine.Noisy(build(settings.oracle), settings.flip)
        case RewardModelSettings():
            if settings.head == "score" and not settings.trust_remote_code:
                raise InvalidSetting(
                    f"the head of reward model {settings.model} is code that comes with the model; "
                    "look at it, and allow it with the oracle's trust_remote_code: true and a "
                    "revision"
                )
            from mnpo.training.oracles.reward_model import RewardModel

            return RewardModel(settings, device=device)
        case PairModelSettings():
            from mnpo.training.oracles.pair_model import PairModel

            return PairModel(settings, device=device)
        case JudgeSettings():
            from mnpo.training.oracles.judge import Judge

            return Judge(settings, folder=folder)


def _matrix(settings: MatrixSettings, games: Games | None) -> MatrixOracle:
    if settings.matrix is not None:
        widths = {len(row) for row in settings.matrix}
        if len(widths) > 1:
            raise InvalidSetting("oracle.matrix: the rows have different lengths")
        return MatrixOracle(settings.actions, np.array(settings.matrix))
    if settings.file is not None:
        return MatrixOracle(settings.actions, read_matrix(Path(settings.file)))
    if games is None:
        raise InvalidSetting(
            f"oracle.game: '{settings.game}' cannot be looked up here; give matrix or file"
        )
    name = str(settings.game)
    return MatrixOracle(settings.actions, games(name, settings.parameters), name)
