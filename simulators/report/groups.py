"""Rows that differ only in their seed, brought together: mean, standard error, verdicts."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulators.report.formats import setting

#: What tells one setting from another, besides the swept axes.
SETTING_KEYS = ("game", "algorithm", "mode", "step_size", "temperature")


@dataclass(frozen=True)
class Statistic:
    """Mean over the seeds that have the quantity, its standard error (NaN of one), and how many."""

    mean: float
    error: float
    n: int


@dataclass(frozen=True, eq=False)
class Group:
    """One algorithm at one setting, over its seeds.

    Attributes:
        setting: the values of the setting keys and of the swept axes.
        rows: of the summary, at least one.
    """

    setting: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    @property
    def algorithm(self) -> str:
        """Registry name."""
        return str(self.setting["algorithm"])

    @cached_property
    def verdicts(self) -> list[tuple[str, int]]:
        """Verdicts and how many seeds got each, the most frequent first."""
        return Counter(str(row.get("verdict", "")) for row in self.rows).most_common()

    @property
    def verdict(self) -> str:
        """The most frequent verdict."""
        return self.verdicts[0][0]

    @cached_property
    def notes(self) -> list[str]:
        """The rows' notes, each once."""
        return list(dict.fromkeys(str(row["note"]) for row in self.rows if row.get("note")))

    def statistic(self, key: str) -> Statistic:
        """Mean and standard error of a column; NaN and absent values are left out."""
        given = (row.get(key) for row in self.rows)
        values = [float(v) for v in given if isinstance(v, int | float | np.number)]
        values = [value for value in values if not math.isnan(value)]
        if not values:
            return Statistic(math.nan, math.nan, 0)
        if len(values) == 1 or not np.isfinite(values).all():
            return Statistic(float(np.mean(values)), math.nan, len(values))
        error = float(np.std(values, ddof=1) / math.sqrt(len(values)))
        return Statistic(float(np.mean(values)), error, len(values))


def group_rows(rows: Sequence[Mapping[str, Any]], swept: Sequence[str] = ()) -> list[Group]:
    """One group per algorithm and setting, in the order of first appearance.

    Args:
        rows: of the summary.
        swept: names of the swept columns.
    """
    keys = list(dict.fromkeys((*SETTING_KEYS, *swept)))
    found: dict[tuple[Hashable, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(identity(row.get(key)) for key in keys), []).append(row)
    return [
        Group({key: members[0].get(key) for key in keys}, members) for members in found.values()
    ]


def varying(groups: Sequence[Group], keys: Sequence[str]) -> list[str]:
    """Those keys of the settings that take more than one value; NaN (not read) is none."""
    return [key for key in keys if len({identity(g.setting.get(key)) for g in groups} - {None}) > 1]


def problem(group: Group) -> tuple[tuple[str, Hashable], ...]:
    """The game and the temperature a group is judged at: gaps and rates compare only within one."""
    own = [key for key in group.setting if key.startswith("game.")]
    return tuple((key, identity(group.setting.get(key))) for key in ("game", "temperature", *own))


def identity(value: object) -> Hashable:
    """A value to compare settings by: NaN is None, unhashable ones are their text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return identity(value.item())
    try:
        hash(value)
    except TypeError:
        return setting(value)
    return value
