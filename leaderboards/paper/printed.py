"""The figures of papers as data: where each is printed, of what it is, and under which judge.

A file lists a paper's tables. Each has ``columns`` (which benchmark and metric of ours a column is,
none for columns that are no measurement) and ``rows`` (which method of ours, or which model) with
``figures`` by column, in the digits of the paper. What holds for a whole table, column or row
stands there: ``model`` (the base model), ``judge``, ``tool``, ``seeds``, ``differs`` (why the
figure is not the same measurement as ours, whatever else agrees), ``remark``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from mnpo.errors import InvalidSetting, suggest

#: Papers by the names of their files, and another name for the first.
PAPERS = ("mnpo", "inpo", "sppo")
_ALIASES = {"paper": "mnpo"}


@dataclass(frozen=True)
class Printed:
    """One figure.

    Attributes:
        table: as the paper numbers it, e.g. "2" or "Figure 2 left".
        row, column: as printed.
        value: as printed; "-" where the paper has none.
        method: ours, by its name on the command line; "" where the row is none of ours.
        model: where the row is a model that the paper did not train: which. Else "".
        base: the model that the method was applied to; "" where it is not said.
        annotator: who labelled the training pairs; "" where it is not said.
        players: of multiplayer methods, where the table is about them; None elsewhere.
        iteration: after which, where the table tells; None elsewhere.
        benchmark, metric: ours; "" where the column is no measurement of ours.
        judge: as printed; "" where nobody judges or it is not said.
        tool: that the paper measured with; "" where it is not said.
        seeds: runs behind the value; 0 where it is not said.
        spread: standard deviation over them, as printed; "" where there is none.
        unit: of value and spread.
        differs: why this is not the measurement that ours is, each like "prompts: ours ...".
        remarks: what a reader must know besides.
    """

    table: str
    row: str
    column: str
    value: str
    method: str = ""
    model: str = ""
    base: str = ""
    annotator: str = ""
    players: int | None = None
    iteration: int | None = None
    benchmark: str = ""
    metric: str = ""
    judge: str = ""
    tool: str = ""
    seeds: int = 0
    spread: str = ""
    unit: str = ""
    differs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def number(self) -> float | None:
        """The value as a number; None where it is none."""
        try:
            found = float(self.value)
        except ValueError:
            return None
        return found if math.isfinite(found) else None

    @property
    def decimals(self) -> int:
        """Digits after the point, as printed."""
        return len(self.value.partition(".")[2])

    @property
    def judged(self) -> bool:
        """Whether the benchmark has a judge."""
        return bool(self.benchmark) and self.benchmark != "lm-eval"


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes:
        name: for ``--compare``.
        title: of the paper.
        source: where it is.
        tables: what each is about, by its number.
        figures: of all tables, in their order; texts of tables without figures too.
        notes: slips of the paper, kept as printed, and what its tables do not say.
    """

    name: str
    title: str
    source: str
    tables: Mapping[str, str]
    figures: tuple[Printed, ...]
    notes: tuple[str, ...]


def find_papers(names: Sequence[str]) -> tuple[Paper, ...]:
    """Papers by name, each once, in the order asked for.

    Raises:
        InvalidSetting: an unknown name; says the nearest known one.
    """
    wanted = []
    for name in names:
        plain = _ALIASES.get(name, name)
        if plain not in PAPERS:
            known = [*PAPERS, *_ALIASES]
            raise InvalidSetting(f"no figures of a paper called '{name}'{suggest(name, known)}")
        wanted.append(plain)
    return tuple(load_paper(name) for name in dict.fromkeys(wanted))


@lru_cache
def load_paper(name: str) -> Paper:
    """A paper of `PAPERS`."""
    file = files("leaderboards.paper") / "figures" / f"{name}.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Paper(
        name=data["paper"],
        title=data["title"],
        source=data["source"],
        tables={table["table"]: table["about"] for table in data["tables"]},
        figures=tuple(one for table in data["tables"] for one in _figures(table)),
        notes=tuple(data["notes"]),
    )


def _figures(table: Mapping[str, Any]) -> Iterator[Printed]:
    for row in table["rows"]:
        for column, value in row["figures"].items():
            meaning = table["columns"][column]
            levels = (table, meaning, row)
            yield Printed(
                table=table["table"],
                row=row["printed"],
                column=column,
                value=value,
                method=row.get("method", ""),
                model=row.get("model", ""),
                base=row.get("base", table.get("model", "")),
                annotator=row.get("annotator", ""),
                players=row.get("players", meaning.get("players")),
                iteration=row.get("iteration"),
                benchmark=meaning.get("benchmark", ""),
                metric=meaning.get("metric", ""),
                judge=meaning.get("judge", table.get("judge", "")),
                tool=meaning.get("tool", table.get("tool", "")),
                seeds=table.get("seeds", 0),
                spread=row["figures"][meaning["sd"]] if "sd" in meaning else "",
                unit=meaning.get("unit", ""),
                differs=tuple(level["differs"] for level in levels if "differs" in level),
                remarks=tuple(level["remark"] for level in levels if "remark" in level),
            )
