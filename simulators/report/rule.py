"""The verdict rule, a docstring, as paragraphs and a numbered list."""

import re
from dataclasses import dataclass

_ITEM = re.compile(r"^\d+\.\s+")


@dataclass(frozen=True)
class Block:
    """A paragraph, or the items of a numbered list; in pieces of (text, emphasised)."""

    numbered: bool
    items: tuple[tuple[tuple[str, bool], ...], ...]


def blocks(text: str) -> list[Block]:
    """The blocks of a plain text with numbered items and ``*emphasis*``."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = paragraph.splitlines()
        if not paragraph.strip():
            continue
        if not _ITEM.match(lines[0].strip()):
            found.append(Block(False, (_pieces(" ".join(paragraph.split())),)))
            continue
        items: list[str] = []
        for line in lines:
            if _ITEM.match(line.strip()):
                items.append(_ITEM.sub("", line.strip()))
            else:
                items[-1] += " " + line.strip()
        found.append(Block(True, tuple(_pieces(item) for item in items)))
    return found


def _pieces(text: str) -> tuple[tuple[str, bool], ...]:
    parts = re.split(r"\*([^*\s][^*]*)\*", text)
    return tuple((part, i % 2 == 1) for i, part in enumerate(parts) if part)
