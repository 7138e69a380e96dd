"""From a judge's settings to the judge."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from evaluation.judges.settings import (
    EndpointJudgeSettings,
    JudgeSpec,
    LocalModelSettings,
    OracleJudgeSettings,
    parts_of,
)
from mnpo.judging.budget import Price
from mnpo.judging.calls import Judge

#: Finds a game's preference matrix by its name and parameters.
Games = Callable[[str, Mapping[str, Any]], np.ndarray]
#: Kinds of oracles in which a model answers.
_MODELS = frozenset({"reward-model", "pair-model", "judge"})


def build_judge(spec: JudgeSpec, *, device: str = "cpu", games: Games | None = None) -> Judge:
    """The judge that the settings name.

    An endpoint is not contacted and a local model's weights are hashed but not loaded before the
    judge is entered; an oracle's models are loaded here.

    Args:
        spec: checked settings of any kind.
        device: where models run, as torch calls it.
        games: finds the matrix of an oracle of ``kind: matrix`` with ``game: NAME``.

    Raises:
        UserError: a package, model, file, key or game that is not there.
    """
    match spec:
        case EndpointJudgeSettings():
            from mnpo.judging.endpoint import EndpointJudge

            return EndpointJudge(spec)
        case LocalModelSettings():
            from evaluation.judges.local_model import LocalModelJudge

            return LocalModelJudge(spec, device=device)
        case OracleJudgeSettings():
            from evaluation.judges.oracle import OracleJudge
            from mnpo.training.oracles.build import build_oracle

            oracle = build_oracle(spec.oracle, device=device, games=games)
            return OracleJudge(oracle, name=spec.name, batch_size=spec.batch_size)


def concurrency_of(spec: JudgeSpec) -> int:
    """Calls that should wait for the judge at a time.

    For judges in this process two batches: while one is computed, the next one gathers.
    """
    if isinstance(spec, EndpointJudgeSettings):
        return spec.concurrency
    return 2 * spec.batch_size


def price_of(spec: JudgeSpec) -> Price | None:
    """What tokens cost; nothing for judges in this process, None where an endpoint names none."""
    return spec.price if isinstance(spec, EndpointJudgeSettings) else Price(0.0, 0.0)


def is_computed(spec: JudgeSpec) -> bool:
    """Whether a judge is a rule or a matrix, or made of such: no model answers."""
    if not isinstance(spec, OracleJudgeSettings):
        return False
    return not any(getattr(part, "kind", "") in _MODELS for part in parts_of(spec.oracle))


def held(judge: Judge) -> AbstractContextManager[None]:
    """Keeps a local model's weights in memory from one asking to the next; others have none.

    Raises:
        UserError: on entering: the weights cannot be loaded.
    """
    from evaluation.judges.local_model import LocalModelJudge

    return judge.held() if isinstance(judge, LocalModelJudge) else nullcontext()
