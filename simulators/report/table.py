"""The table of results as a value: which columns there are and what their cells say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.report.content import ReportContent
from simulators.report.findings import plays_regularized
from simulators.report.formats import MISSING, count, mean_and_error, number, setting, shortened
from simulators.report.groups import Group, group_rows, varying
from simulators.report.verdicts import look, rank

MAX_ROWS = 200


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: of ``summary.csv``, or ``runs``.
        title: its heading.
        short: its heading where there is little room.
        about: one sentence for the reader who does not know it.
        kind: "setting", "verdict", "metric" or "cost".
        importance: the least important go first when there is no room; 0 is for the page only.
    """

    key: str
    title: str
    short: str
    about: str
    kind: str
    importance: int


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says.
        order: what it sorts by.
        tone: of a verdict.
        short: what it says where there is little room.
        strong: whether the verdict is about this number.
    """

    text: str
    order: float | str
    tone: str = ""
    short: str = ""
    strong: bool = False


@dataclass(frozen=True, eq=False)
class ResultTable:
    """The results, one row per algorithm and setting.

    Attributes:
        columns: those that have something to say.
        cells: one tuple a row, as long as ``columns``.
        groups: behind the rows.
        total: number of groups, of which the rows are the first ones.
        seeds: the largest number of seeds behind a row.
        notes: what single rows need to be said about, one line each.
    """

    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, ...], ...]
    groups: tuple[Group, ...]
    total: int
    seeds: int
    notes: tuple[str, ...]


METRICS = (
    Column("gap_last", "gap", "gap", "duality gap of the last policy (Eq. 4)", "metric", 90),
    Column(
        "gap_average",
        "gap of average",
        "avg gap",
        "duality gap of the average of all policies played",
        "metric",
        85,
    ),
    Column(
        "regularized_gap_last",
        "regularised gap",
        "reg. gap",
        "duality gap of the last policy in the KL-regularised game",
        "metric",
        84,
    ),
    Column(
        "kl_to_regularized_equilibrium",
        "KL to reg. equilibrium",
        "KL to eq",
        "KL(regularised equilibrium ‖ last policy), in nats",
        "metric",
        60,
    ),
    Column(
        "fitted_multiplier",
        "rate fitted",
        "rate",
        "factor per iteration by which the distance to the regularised equilibrium shrinks",
        "metric",
        70,
    ),
    Column(
        "predicted_multiplier",
        "rate predicted",
        "theory",
        "the same factor from the local theory, where it applies; 1 or more does not converge",
        "metric",
        65,
    ),
    Column(
        "external_regret",
        "external regret",
        "regret",
        "summed regret against the best fixed action",
        "metric",
        0,
    ),
    Column(
        "swap_regret", "swap regret", "swap", "summed regret against the best swaps", "metric", 0
    ),
    Column(
        "multiplayer_gap_last",
        "multiplayer gap",
        "Eq. 9",
        "the worst player's gain from its best response (Eq. 9)",
        "metric",
        0,
    ),
    Column(
        "worst_annotator_win_rate",
        "worst annotator",
        "worst",
        "win rate against the reference with the least pleased annotator",
        "metric",
        0,
    ),
    Column(
        "nash_welfare",
        "Nash welfare",
        "welfare",
        "weighted geometric mean of the annotators' win rates against the reference",
        "metric",
        0,
    ),
)
COSTS = (
    Column("iterations", "iterations", "T", "iterations done", "cost", 0),
    Column(
        "oracle_rounds",
        "oracle rounds",
        "rounds",
        "times the preference oracle was consulted",
        "cost",
        50,
    ),
    Column(
        "preference_queries",
        "preference queries",
        "queries",
        "single comparisons asked for",
        "cost",
        56,
    ),
    Column("gradient_steps", "gradient steps", "steps", "gradient steps taken", "cost", 52),
)
_ALGORITHM = Column("algorithm", "algorithm", "algorithm", "registry name", "setting", 100)
_VERDICT = Column("verdict", "verdict", "verdict", "by the rule below", "verdict", 100)
_RUNS = Column("runs", "runs", "runs", "runs behind the row, one a seed", "cost", 82)
_SETTING_SHORT = {"step_size": "α", "temperature": "τ"}


def result_table(content: ReportContent, limit: int = MAX_ROWS) -> ResultTable:
    """The table of a report.

    Columns that no row has a value for are left out, and so are costs that nobody spent.

    Args:
        content: of the report.
        limit: at most so many rows.
    """
    groups = group_rows(content.rows, content.swept)
    seeds = max((len(group.rows) for group in groups), default=0)  # equal settings: seeds differ
    told, rest = _setting_columns(content, groups)
    columns = [_ALGORITHM, *told]
    if seeds > 1:
        columns.append(_RUNS)
    columns.append(_VERDICT)
    columns += [c for c in METRICS if _present(content, c.key)]
    columns += [c for c in COSTS if _present(content, c.key, spent=True)]
    columns += rest
    shown = groups[:limit]
    notes = [f"{group.algorithm}: {note}" for group in groups[:limit] for note in group.notes]
    return ResultTable(
        columns=tuple(columns),
        cells=tuple(tuple(_cell(group, column) for column in columns) for group in shown),
        groups=tuple(groups),
        total=len(groups),
        seeds=seeds,
        notes=tuple(dict.fromkeys(notes)),
    )


def _setting_columns(
    content: ReportContent, groups: Sequence[Group]
) -> tuple[list[Column], list[Column]]:
    """Those that tell rows apart, and those that only belong on the page."""
    told = varying(groups, ("game", "mode", *content.swept, "step_size", "temperature"))
    told = list(dict.fromkeys(told))
    rest = [key for key in ("step_size", "temperature") if key not in told]

    def columns(keys: list[str], importance: int) -> list[Column]:
        return [
            Column(key, key, _SETTING_SHORT.get(key, key), "setting", "setting", importance)
            for key in keys
            if _present(content, key, text=True)
        ]

    return columns(told, 95), columns(rest, 0)


def _present(content: ReportContent, key: str, *, text: bool = False, spent: bool = False) -> bool:
    for row in content.rows:
        value = row.get(key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        if isinstance(value, str) and not text:
            continue
        if not (spent and value == 0):
            return True
    return False


def _cell(group: Group, column: Column) -> Cell:
    if column.kind == "verdict":
        return _verdict_cell(group)
    if column.key == "runs":
        runs = count(len(group.rows))
        return Cell(runs, float(len(group.rows)), short=runs)
    if column.kind == "setting":
        value = group.setting.get(column.key)
        text = setting(value)
        numeric = isinstance(value, int | float) and text != MISSING
        short = f"{value:.4g}" if numeric else shortened(text, 24)
        return Cell(text, float(value) if numeric else text, short=short)  # type: ignore[arg-type]
    statistic = group.statistic(column.key)
    if column.kind == "cost":
        spent = count(statistic.mean)
        return Cell(spent, statistic.mean, short=spent)
    if statistic.n < len(group.rows) and statistic.n > 0:
        text = f"{mean_and_error(statistic.mean, statistic.error)} ({statistic.n})"
    else:
        text = mean_and_error(statistic.mean, statistic.error)
    regularized = plays_regularized(group.rows[0])
    strong = column.key == ("regularized_gap_last" if regularized else "gap_last")
    return Cell(text, statistic.mean, short=number(statistic.mean), strong=strong)


def _verdict_cell(group: Group) -> Cell:
    verdict, seeds = group.verdicts[0]
    shown = look(verdict)
    order = rank(verdict) + 1 - seeds / len(group.rows)
    if seeds == len(group.rows):
        return Cell(verdict, order, shown.tone, shown.short)
    parts = ", ".join(f"{name} {n}/{len(group.rows)}" for name, n in group.verdicts)
    return Cell(parts, order, shown.tone, f"{shown.short} {seeds}/{len(group.rows)}")
