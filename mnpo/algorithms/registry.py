"""Algorithms by their command-line name."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from mnpo.algorithms.base import Algorithm
from mnpo.algorithms.comal import COMAL
from mnpo.algorithms.dno import DNO
from mnpo.algorithms.dpo import DPO
from mnpo.algorithms.egpo import EGPO
from mnpo.algorithms.eo_mnpo import EOMNPO
from mnpo.algorithms.ht_mnpo import HTMNPO
from mnpo.algorithms.inpo import INPO
from mnpo.algorithms.ipo import IPO
from mnpo.algorithms.kinds import describe_kind, is_of_kind
from mnpo.algorithms.mmd import MMD
from mnpo.algorithms.mnpo import MNPO
from mnpo.algorithms.mnpo_eq10 import MNPOEq10
from mnpo.algorithms.mpo import MPO
from mnpo.algorithms.mwu import MWU
from mnpo.algorithms.nash_ema import NashEMA
from mnpo.algorithms.nash_md import NashMD
from mnpo.algorithms.onpo import ONPO
from mnpo.algorithms.paper_parameters import translate
from mnpo.algorithms.spin import SPIN
from mnpo.algorithms.sppo import SPPO
from mnpo.errors import InvalidSetting, suggest


@dataclass(frozen=True)
class Entry:
    """One registered name: a class, and the parameters that the name presets."""

    name: str
    kind: type[Algorithm]
    preset: dict[str, Any] = field(default_factory=dict)


_ENTRIES = (
    Entry("mnpo", MNPO),
    Entry("mnpo-eq10", MNPOEq10),
    Entry("mnpo-eq15", MNPOEq10, {"target_form": "literal"}),
    Entry("ht-mnpo", HTMNPO),
    Entry("eo-mnpo", EOMNPO),
    Entry("inpo", INPO),
    Entry("sppo", SPPO),
    Entry("sppo-practical", SPPO, {"form": "practical"}),
    Entry("dpo", DPO),
    Entry("dpo-online", DPO, {"variant": "online"}),
    Entry("dpo-iterative", DPO, {"variant": "iterative"}),
    Entry("ipo", IPO),
    Entry("ipo-online", IPO, {"variant": "online"}),
    Entry("dno", DNO),
    Entry("spin", SPIN),
    Entry("nash-md", NashMD),
    Entry("nash-ema", NashEMA),
    Entry("onpo", ONPO),
    Entry("egpo", EGPO),
    Entry("mmd", MMD),
    Entry("mpo", MPO),
    Entry("comal", COMAL),
    Entry("mwu", MWU),
)
_BY_NAME = {entry.name: entry for entry in _ENTRIES}
#: Other spellings in use for the same method.
_ALIASES = {"td-mnpo": "mnpo", "hedge": "mwu", "spo": "mwu"}


def list_algorithms() -> tuple[Entry, ...]:
    """Every registered name, in the order of the documentation."""
    return _ENTRIES


def find_entry(name: str) -> Entry:
    """The entry of a name or alias.

    Raises:
        InvalidSetting: for an unknown name, with the nearest known one.
    """
    key = _ALIASES.get(name, name)
    if key not in _BY_NAME:
        raise InvalidSetting(f"unknown algorithm '{name}'{suggest(name, [*_BY_NAME, *_ALIASES])}")
    return _BY_NAME[key]


def get_algorithm(name: str, **parameters: Any) -> Algorithm:
    """The algorithm value of a name, e.g. ``get_algorithm("inpo", step_size=0.5)``.

    Args:
        name: a registered name, see `list_algorithms`.
        **parameters: the value's own fields (common convention), or the method's paper's own
            parameters (``eta=...``, ``beta=...``), which are translated; see
            `mnpo.algorithms.paper_parameters`.

    Raises:
        InvalidSetting: unknown name or parameter, both vocabularies for one value, or a value
            of the wrong kind or out of range.
    """
    entry = find_entry(name)
    given = entry.preset | translate(entry.name, parameters)
    kinds = {item.name: item.type for item in fields(entry.kind)}
    for key, value in given.items():
        if key not in kinds:
            raise InvalidSetting(f"{name}: unknown parameter '{key}'{suggest(key, kinds)}")
        if not is_of_kind(value, kinds[key]):
            raise InvalidSetting(
                f"{name}: {key} must be {describe_kind(kinds[key])}, got {value!r}"
            )
    return entry.kind(**{key: _as_immutable(value, kinds[key]) for key, value in given.items()})


def _as_immutable(value: Any, kind: Any) -> Any:
    """Lists, and vectors where a list belongs (not one value per column), as tuples."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and is_of_kind(value.tolist(), kind):
        return tuple(value.tolist())
    return tuple(value) if isinstance(value, list) else value
