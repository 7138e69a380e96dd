"""How far an evaluation is."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.suite.settings import CACHE
from leaderboards.chain.status_reading import Held, disk_bytes
from leaderboards.chain.status_values import Item, Status
from leaderboards.chain.status_verdicts import Answered, answered


def evaluation_status(held: Held, folder: str) -> Status:
    """Benchmarks under judges, answers, verdicts, and what was spent.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: files hold something else.
    """
    judges = [_name(own) for own in held.config.get("judges") or [{}]]
    failures = [str(line) for line in held.manifest.get("failures") or ()]
    items: list[Item] = []
    for benchmark in held.config["benchmarks"]:
        items += _items(held.folder, benchmark, judges, failures)
    named = {item.detail for item in items if item.state == "failed"}
    file = held.config.get("cache")
    verdicts = answered(Path(file) if file else held.folder / CACHE) or {}
    answers = sum(1 for _ in (held.folder / "stages").glob("sample-*"))
    progress = [f"models: {len(held.config['models'])}; sets of answers: {answers}"]
    progress += [f"verdicts of {name}: {own.calls:,}" for name, own in verdicts.items()]
    state = held.state()
    others = [line for line in failures if line not in named]
    again = f"mnpo-bench evaluate --config {folder} --output {folder}"
    return Status(
        folder=folder,
        kind="evaluation",
        state=state,
        started=held.manifest.get("started"),
        finished=held.manifest.get("finished") if state == "done" else None,
        items=tuple(items),
        progress=tuple(progress),
        failures=(*others, *held.damage()),
        cost=_cost(held, verdicts),
        command=None if state == "done" else held.command(again),
    )


def _items(
    folder: Path, benchmark: str, judges: Sequence[str], failures: Sequence[str]
) -> list[Item]:
    """A benchmark under each judge; lm-eval asks none."""
    done = _scored(folder, benchmark)
    if benchmark == "lm-eval":
        judges = [""]
    found = [_item(benchmark, judge, "done") for judge in done]
    # Judges without a name of their own are told by the names that their results bear.
    left = [name for name in judges if name not in done]
    left = left[len([name for name in done if name not in judges]) :]
    start = f"{benchmark}, judge " if benchmark != "lm-eval" else benchmark
    reasons = [line for line in failures if line.startswith(start)]
    own = {judge: [r for r in reasons if r.startswith(f"{start}{judge}: ")] for judge in left}
    taken = {reason for found_here in own.values() for reason in found_here}
    others = [reason for reason in reasons if reason not in taken]
    for judge in left:
        why = (own[judge] or others)[:1]
        others = [reason for reason in others if reason not in why]
        found += [_item(benchmark, judge, "failed" if why else "left", *why)]
    return found


def _item(benchmark: str, judge: str, state: Any, detail: str = "") -> Item:
    return Item(f"{benchmark}, judge {judge}" if judge else benchmark, state, detail)


def _scored(folder: Path, benchmark: str) -> list[str]:
    """Names of the judges under whom a benchmark is scored; "" for one without judges."""
    found = []
    places = [place for place in folder.glob(f"{benchmark}*") if place.is_dir()]
    files = [file for place in places for file in sorted(place.rglob("results.json"))]
    for file in files:
        if file.relative_to(folder).parts[0] == "lm-eval-runs":
            continue
        try:
            held = json.loads(file.read_text())
            found.append(str(held["judge"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half written by nobody of ours: it is made again
    return found


def _name(judge: Mapping[str, Any]) -> str:
    return str(judge.get("name") or judge.get("model") or judge.get("kind") or "default")


def _cost(held: Held, verdicts: Mapping[str, Answered]) -> dict[str, float]:
    cost: dict[str, float] = {}
    for own in (held.manifest.get("generated") or {}).values():
        for key in ("tokens_read", "tokens_written"):
            words = key.replace("_", " ")
            cost[words] = cost.get(words, 0) + own[key]
    if verdicts:
        cost["judge calls"] = sum(own.calls for own in verdicts.values())
        cost["judge tokens"] = sum(
            own.prompt_tokens + own.completion_tokens for own in verdicts.values()
        )
    dollars = [
        (own.prompt_tokens * judge["price_input"] + own.completion_tokens * judge["price_output"])
        / 1e6
        for judge in held.config.get("judges") or ()
        if judge.get("price_input") is not None
        for name, own in verdicts.items()
        if name == _name(judge)
    ]
    if dollars:
        cost["dollars"] = round(sum(dollars), 6)
    if "seconds" in held.manifest:
        cost["seconds"] = held.manifest["seconds"]
    return cost | {"bytes": disk_bytes(held.folder)}
