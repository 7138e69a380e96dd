"""What is quoted with the figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Context:
    """What the scoring itself does not know.

    Attributes:
        hashes: of files and templates, by role.
        settings: of the judge and the scoring.
        notes: about the whole.
        flags: about single models.
    """

    hashes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOTHING = Context()
