"""How far a training run is."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaderboards.chain.status_reading import Held, disk_bytes
from leaderboards.chain.status_values import Item, State, Status
from leaderboards.chain.status_verdicts import answered
from mnpo.runs import sha256_file
from mnpo.runs.chain import stages_of
from mnpo.training.ledger import Ledger
from mnpo.training.runs.keys import part_key
from mnpo.training.stages import SEAL

_STAGES = ("sample", "ask", "train")
#: Of the ledger, what is told, and in which words.
_TOLD = {
    "responses": "responses",
    "sampled_tokens": "sampled tokens",
    "preference_queries": "preference queries",
    "annotations": "annotations",
    "gradient_steps": "gradient steps",
    "trained_tokens": "trained tokens",
}


def training_status(held: Held, folder: str) -> Status:
    """Methods and seeds, stages, and what was spent.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: files hold something else.
    """
    reasons = {
        (own["method"], own["seed"]): str(own["reason"])
        for own in held.manifest.get("failed") or ()
    }
    items, ledgers = [], []
    for method in held.config["methods"]:
        for seed in held.config["seeds"]:
            what = f"{method}, seed {seed}"
            ledger = _ledger(held.folder / "parts" / f"{part_key(method, seed)}.json")
            if ledger is not None:
                ledgers.append(ledger)
                items.append(Item(what, "done", f"{ledger.seconds:.1f} s"))
            elif (method, seed) in reasons:
                items.append(Item(what, "failed", reasons[method, seed]))
            else:
                items.append(Item(what, "left"))
    chain = stages_of(held.manifest)
    state = held.state()
    whole = f"mnpo-bench train-all --recipe {folder} --output {folder}"
    otherwise = whole if state != "done" else ""
    return Status(
        folder=folder,
        kind="chain" if chain else "training",
        state=state,
        started=held.manifest.get("started"),
        finished=_finished(held) if state == "done" else None,
        items=tuple(items),
        progress=(_stages(held),),
        failures=tuple(held.damage()),
        cost=_cost(held, sum(ledgers, Ledger())),
        command=None if state == "done" else held.command(otherwise),
        stages={name: _of_now(str(own.get("status")), state) for name, own in chain.items()},
    )


def _finished(held: Held) -> str | None:
    """When the last stage ended."""
    times = [own.get("finished") for own in stages_of(held.manifest).values()]
    return max((str(time) for time in times if time), default=held.manifest.get("finished"))


def _of_now(status: str, state: State) -> str:
    """A stage's status: nothing is running where nobody is at work."""
    return "interrupted" if status == "running" and state != "running" else status


def _ledger(part: Path) -> Ledger | None:
    """What a finished method spent; None where it is not finished, or its part is damaged."""
    seal = part.with_name(part.name + ".sha256")
    if not (part.is_file() and seal.is_file()):
        return None
    if seal.read_text().strip() != sha256_file(part):
        return None
    return Ledger(**json.loads(part.read_text())["ledger"])


def _stages(held: Held) -> str:
    done, working = Counter[str](), Counter[str]()
    for path in _entries(held.folder / "stages"):
        kind = path.name.removeprefix(".").partition("-")[0]
        if path.name.endswith(".working"):
            working[kind] += 1
        elif not path.name.startswith("."):
            done[kind] += 1
    planned: Mapping[str, Any] = (held.manifest.get("plan") or {}).get("together") or {}
    parts = []
    for kind in _STAGES:
        text = f"{done[kind]} {kind}"
        if planned and done[kind] > planned[kind]:
            text = f"{planned[kind]} of {planned[kind]} {kind}, {done[kind] - planned[kind]} more"
            text += " for the cross-play"
        elif planned:
            text = f"{done[kind]} of {planned[kind]} {kind}"
        parts.append(text)
    begun = sum(working.values())
    return "stages: " + ", ".join(parts) + (f"; {begun} begun" if begun else "")


def _entries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _cost(held: Held, spent: Ledger) -> dict[str, float]:
    counts = spent.describe()
    cost: dict[str, float] = {words: counts[name] for name, words in _TOLD.items() if counts[name]}
    for file in sorted((held.folder / "answers").glob("*.sqlite")):
        for own in (answered(file) or {}).values():
            cost["judge calls"] = cost.get("judge calls", 0) + own.calls
            tokens = own.prompt_tokens + own.completion_tokens
            cost["judge tokens"] = cost.get("judge tokens", 0) + tokens
    seconds = 0.0
    for path in _entries(held.folder / "stages"):
        try:
            seconds += float(json.loads((path / SEAL).read_text())["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being made
    return cost | {"seconds of stages": round(seconds, 1), "bytes": disk_bytes(held.folder)}
