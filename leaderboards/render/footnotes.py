"""Warnings of a table's figures as footnotes: those alike but for numbers and brackets are one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leaderboards.board import Column, Section

#: What may differ between warnings that are one footnote: brackets, and numbers that stand alone.
_VARYING = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")


@dataclass(frozen=True)
class Footnote:
    """Warnings that say the same.

    Attributes:
        number: from 1.
        text: one line for all of them: "5 to 11 of 40 answers ... (6 policies)".
        each: (policy, warning) in the table's order; empty where one line says it all.
        policies: how many rows have it.
    """

    number: int
    text: str
    each: tuple[tuple[str, str], ...]
    policies: int


@dataclass(frozen=True)
class Footnotes:
    """All of a table.

    Attributes:
        notes: those of several policies first.
        numbers: warning -> its footnote.
    """

    notes: tuple[Footnote, ...]
    numbers: dict[str, int]

    def of(self, flags: Iterable[str]) -> tuple[int, ...]:
        """The footnotes of a figure, each once, ascending."""
        return tuple(sorted({self.numbers[flag] for flag in flags}))

    def marks(self, flags: Iterable[str]) -> str:
        """`` (1) (3)``, to stand behind a figure."""
        return "".join(f" ({number})" for number in self.of(flags))

    @property
    def summary(self) -> str:
        """How much there is: ``17 warnings of 3 kinds``."""
        count = sum(len(note.each) or 1 for note in self.notes)
        kinds = f" of {len(self.notes)} kinds" if 1 < len(self.notes) < count else ""
        return f"{count} warning{'' if count == 1 else 's'}{kinds}"


def footnotes(section: Section, columns: Sequence[Column]) -> Footnotes:
    """The warnings of the figures that are shown.

    Args:
        section: a table of the board.
        columns: those shown.
    """
    found: dict[str, dict[tuple[str, str], None]] = {}
    for entry in section.entries:
        for column in columns:
            figure = entry.figures.get(column.key)
            for flag in figure.flags if figure else ():
                found.setdefault(_VARYING.sub(_kind, flag), {})[entry.name, flag] = None
    groups = [list(pairs) for pairs in found.values()]
    groups.sort(key=lambda pairs: -len(_policies(pairs)))
    notes = tuple(_footnote(number, pairs) for number, pairs in enumerate(groups, 1))
    numbers = {
        flag: note.number for note, pairs in zip(notes, groups, strict=True) for _, flag in pairs
    }
    return Footnotes(notes, numbers)


def _kind(match: re.Match[str]) -> str:
    """What stands for a number and for brackets; no text holds either."""
    return "\0" if match[0][0] in "([" else "\1"


def _footnote(number: int, pairs: Sequence[tuple[str, str]]) -> Footnote:
    flags = list(dict.fromkeys(flag for _, flag in pairs))
    count = len(_policies(pairs))
    text = flags[0] if len(flags) == 1 else _joined(flags)
    if count > 1:
        text += f" ({count} policies)"
    return Footnote(number, text, tuple(pairs) if len(flags) > 1 else (), count)


def _policies(pairs: Sequence[tuple[str, str]]) -> set[str]:
    return {policy for policy, _ in pairs}


def _joined(flags: Sequence[str]) -> str:
    """What all say, numbers as "5 to 11"; brackets that differ go."""
    between = _VARYING.split(flags[0])
    parts = [between[0]]
    slots = zip(*(_VARYING.findall(flag) for flag in flags), strict=True)
    for slot, after in zip(slots, between[1:], strict=True):
        values = sorted(set(slot))
        if len(values) == 1:
            parts.append(values[0])
        elif values[0][0] in "([":
            parts[-1] = parts[-1].rstrip()
        else:
            numbers = sorted(values, key=float)
            parts.append(f"{numbers[0]} to {numbers[-1]}")
        parts.append(after)
    return "".join(parts)
