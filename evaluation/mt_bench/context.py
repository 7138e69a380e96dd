"""What is quoted with the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.mt_bench.materials import PARAMETERS, Materials
from evaluation.records import ModelAnswers
from evaluation.suspicion import flags_of


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


def context_of(
    materials: Materials,
    hashes: Mapping[str, str],
    answers: Sequence[ModelAnswers],
    repeats: int,
    notes: tuple[str, ...],
) -> Context:
    """What is quoted with figures of answers that were judged here."""
    corrected = materials.corrected
    if corrected:
        notes += (f"reference answers of the user's own: questions {', '.join(corrected)}",)
    settings = {
        "judge": dict(PARAMETERS),
        "repeats": repeats,
        "corrected_references": list(corrected),
    }
    return Context(hashes, settings, notes, {own.model: flags_of(own) for own in answers})
