"""Plans, ledgers and cross-plays as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from mnpo.cli.amounts import duration, size
from mnpo.training.ledger import Ledger
from mnpo.training.runs.calibration import Rates
from mnpo.training.runs.plan import KINDS, Kind, Plan
from mnpo.training.runs.results import MethodResult


def plan_table(plan: Plan) -> Table:
    """What each method would do at most, and all of them together."""
    table = Table(title="plan: at most this much", title_justify="left")
    table.add_column("method", no_wrap=True)
    for title in (
        *("samplings", "responses", "tokens", "queries", "scored tokens"),
        *("trainings", "steps", "trained tokens"),
    ):
        table.add_column(title, justify="right")

    def row(name: str, counts: Mapping[Kind, int], cost: Ledger) -> None:
        cells = (
            *(counts["sample"], cost.responses, cost.sampled_tokens, cost.preference_queries),
            *(cost.scored_tokens, counts["train"], cost.gradient_steps, cost.trained_tokens),
        )
        table.add_row(Text(name), *(f"{cell:,}" for cell in cells))

    for method in plan.methods:
        row(method.name, {kind: method.count(kind) for kind in KINDS}, method.cost)
    table.add_section()
    row("together, shared work once", {kind: plan.count(kind) for kind in KINDS}, plan.cost)
    return table


def plan_lines(plan: Plan, rates: Rates, seconds: Mapping[str, float | None]) -> list[str]:
    """Disk, memory and time."""
    lines = [
        f"disk: {plan.checkpoints} checkpoint{'s' * (plan.checkpoints != 1)} of "
        f"{size(plan.checkpoint_bytes)}, "
        f"{size(plan.disk_bytes)}",
        f"memory: {size(plan.state_bytes)} for weights, gradients and optimizer"
        + (f"; {size(rates.peak_bytes)} measured" if rates.peak_bytes else ", activations apart"),
    ]
    known = {kind: value for kind, value in seconds.items() if value is not None}
    parts = ", ".join(f"{kind} {duration(value)}" for kind, value in known.items())
    missing = [kind for kind, value in seconds.items() if value is None]
    lines.append(
        f"time: about {duration(sum(known.values()))} in one process ({parts})"
        + (f"; not tried: {', '.join(missing)}" if missing else "")
        + ", then the cross-play"
    )
    return lines


def ledger_table(results: Sequence[MethodResult]) -> Table:
    """What each run spent."""
    table = Table(title="ledger", title_justify="left")
    table.add_column("method", no_wrap=True)
    for title in (
        *("seed", "prompts", "responses", "tokens", "queries", "annotations"),
        *("steps", "trained tokens", "dropped", "seconds"),
    ):
        table.add_column(title, justify="right")
    for result in results:
        cost = result.ledger
        counts = (
            *(cost.prompts, cost.responses, cost.sampled_tokens, cost.preference_queries),
            *(cost.annotations, cost.gradient_steps, cost.trained_tokens, cost.dropped),
        )
        table.add_row(
            Text(result.method),
            str(result.seed),
            *(f"{count:,}" for count in counts),
            f"{cost.seconds:.1f}",
        )
    return table


def crossplay_table(cells: Mapping[str, Any]) -> Table:
    """The cross-play that a run has kept."""
    table = Table(title="cross-play", title_justify="left", caption=cells["caption"])
    for number, title in enumerate(cells["columns"]):
        table.add_column(title, justify="right" if number else "left", no_wrap=not number)
    for row in cells["rows"]:
        table.add_row(*row)
    return table
