"""What a method's run gave, as its part of the run directory holds it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mnpo.errors import DamagedRun
from mnpo.training.ledger import Ledger
from mnpo.training.online.loop import StepLog, Trained
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.stages import verify

#: The training curve in a training stage's folder.
LOG = "log.jsonl"


@dataclass(frozen=True)
class MethodResult:
    """A finished method with one seed.

    Attributes:
        method: its name.
        seed: of the run.
        policies: for each player its checkpoints at iterations 0 ... T.
        logs: training curves in order.
        ledger: what was spent.
    """

    method: str
    seed: int
    policies: tuple[tuple[PolicyCheckpoint, ...], ...]
    logs: tuple[StepLog, ...]
    ledger: Ledger

    @property
    def final(self) -> tuple[PolicyCheckpoint, ...]:
        """Every player's last policy."""
        return tuple(own[-1] for own in self.policies)

    @property
    def complete(self) -> bool:
        """Whether all that was trained is there, final policies and logs as they were written.

        Policies between start and end count by their presence: nothing reads them any more.
        """
        trained = [policy.path for own in self.policies for policy in own[1:]]
        if not all((path / "config.json").is_file() or _is_adapter(path) for path in trained):
            return False
        final = {policy.path.parent for policy in self.final}
        logs = {log.path.parent for log in self.logs}
        try:
            for stage in final:
                verify(stage)
            for stage in logs - final:
                verify(stage, LOG)
        except DamagedRun:
            return False
        return True


def result_of(trained: Trained, seconds: float) -> MethodResult:
    """A result to be kept.

    Args:
        trained: from the loop.
        seconds: wall time of its stages.
    """
    return MethodResult(
        method=trained.method.name,
        seed=trained.seed,
        policies=trained.policies,
        logs=trained.logs,
        ledger=replace(trained.ledger, seconds=seconds),
    )


def dump_result(result: MethodResult, root: Path) -> str:
    """JSON; paths below ``root`` are kept relative to it, so that the folder can be moved."""
    root = root.resolve()

    def place(path: Path) -> str:
        whole = path.resolve()
        return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(whole)

    held = {
        "method": result.method,
        "seed": result.seed,
        "policies": [
            [{"path": place(policy.path), "sha256": policy.sha256} for policy in own]
            for own in result.policies
        ],
        "logs": [asdict(log) | {"path": place(log.path)} for log in result.logs],
        "ledger": result.ledger.describe(),
    }
    return json.dumps(held, indent=1) + "\n"


def load_result(text: str, root: Path) -> MethodResult:
    """What `dump_result` wrote.

    Raises:
        DamagedRun: it is something else.
    """
    try:
        held = json.loads(text)
        return MethodResult(
            method=held["method"],
            seed=held["seed"],
            policies=tuple(
                tuple(PolicyCheckpoint(root / p["path"], p["sha256"]) for p in own)
                for own in held["policies"]
            ),
            logs=tuple(StepLog(**(log | {"path": root / log["path"]})) for log in held["logs"]),
            ledger=Ledger(**held["ledger"]),
        )
    except (ValueError, KeyError, TypeError):
        raise DamagedRun(f"{root}/parts: a method's result cannot be read") from None


def describe_results(results: Sequence[MethodResult]) -> list[dict[str, Any]]:
    """JSON-ready: what each spent, and its final policies."""
    return [
        {
            "method": result.method,
            "seed": result.seed,
            "policies": [policy.sha256 for policy in result.final],
            "ledger": result.ledger.describe(),
        }
        for result in results
    ]


def _is_adapter(path: Path) -> bool:
    return (path / "adapter_config.json").is_file()
