"""Names that mean one judge, or one base model."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml

Kind = Literal["judges", "models"]


def same(kind: Kind, first: str, second: str) -> bool:
    """Whether both names are known to mean the same thing; an empty one means nothing."""
    a, b = canonical(kind, first), canonical(kind, second)
    return bool(a) and a == b


def canonical(kind: Kind, name: str) -> str:
    """One spelling for all that mean the same; a name in no list stands for itself."""
    plain = " ".join(name.casefold().split())
    return _groups(kind).get(plain, plain)


@lru_cache
def _groups(kind: Kind) -> Mapping[str, str]:
    text = (files("leaderboards.paper") / "names.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for group, names in yaml.safe_load(text)[kind].items():
        for name in (group, *names):
            plain = " ".join(name.casefold().split())
            if found.setdefault(plain, group) != group:
                raise ValueError(f"names.yaml: '{name}' is both {found[plain]} and {group}")
    return found
