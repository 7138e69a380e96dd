"""Style of an answer: length and markdown, as the official style control counts and scales them."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.arena_hard.table import Array

FEATURES = ("tokens", "headers", "lists", "bold")

_FENCED = re.compile("```([^`]*)```")
_KINDS = {
    "header_count": {
        f"h{level}": re.compile(rf"^#{{{level}}}\s", re.MULTILINE) for level in range(1, 7)
    },
    "list_count": {
        "ordered": re.compile(r"^\s*\d+\.\s", re.MULTILINE),
        "unordered": re.compile(r"^\s*[-*+]\s", re.MULTILINE),
    },
    "bold_count": {"**": re.compile(r"\*\*[^*\n]+\*\*"), "__": re.compile(r"__[^_\n]+__")},
}
_WORD = re.compile(r"\w+|[^\w\s]")
#: What tiktoken calls the encoding of the official count, and the name under which it keeps it.
_ENCODING = "o200k_base"
_CACHED = hashlib.sha1(
    f"https://openaipublic.blob.core.windows.net/encodings/{_ENCODING}.tiktoken".encode()
).hexdigest()

#: Name of a count that stands in where the official tokenizer is not on this machine.
APPROXIMATE = "words and punctuation marks, not tokens"


@dataclass(frozen=True)
class Style:
    """Counts of one answer, in the order of `FEATURES`."""

    tokens: int
    headers: int
    lists: int
    bold: int


def markdown_kinds(text: str) -> dict[str, dict[str, int]]:
    """Headers, list items and bold passages outside fenced code, each by kind, as files have them.

    As in the official `add_markdown_info.py`, what stands inside a fence is taken out wherever else
    the answer repeats it.
    """
    plain = text
    for code in _FENCED.findall(text):
        plain = plain.replace(code, "")
    return {
        name: {kind: len(pattern.findall(plain)) for kind, pattern in kinds.items()}
        for name, kinds in _KINDS.items()
    }


def markdown_counts(text: str) -> tuple[int, int, int]:
    """Headers, list items and bold passages; see `markdown_kinds`."""
    headers, lists, bold = (sum(kinds.values()) for kinds in markdown_kinds(text).values())
    return headers, lists, bold


def token_counter() -> tuple[Callable[[str], int], str]:
    """How answers without a stored count are measured, and a name for that.

    The official count is tiktoken's o200k_base. tiktoken downloads that encoding where it has not
    got it, so it is used only if ``TIKTOKEN_CACHE_DIR`` names a folder that holds it; otherwise
    words and punctuation marks are counted, which is about a tenth to a third less.

    Returns:
        the function, and "" for the official count or `APPROXIMATE`.
    """
    folder = os.environ.get("TIKTOKEN_CACHE_DIR")
    if folder and (Path(folder) / _CACHED).is_file():
        import tiktoken

        encoding = tiktoken.get_encoding(_ENCODING)
        return lambda text: len(encoding.encode(text, disallowed_special=())), ""
    return lambda text: len(_WORD.findall(text)), APPROXIMATE


def measured(text: str, count: Callable[[str], int]) -> Style:
    """All counts of a text."""
    return Style(count(text), *markdown_counts(text))


def differences_v01(model: Array, baseline: Array) -> Array:
    """Style of the model against the baseline's, (..., 4), as `construct_style_matrices` has it.

    (m - b) / (m + b + 1) for each count.
    """
    return (model - baseline) / (model + baseline + 1.0)


def differences_v20(model: Array, baseline: Array) -> Array:
    """The same as `show_result.py` of 2025 has it.

    (m - b) / (m + b) for tokens; for markdown the densities d = count / tokens make
    (d_m - d_b) / (d_m + d_b + 1). The official code fails on an answer of no tokens; here its
    densities are 0, and two empty answers are equally long.
    """
    difference = np.empty(np.broadcast_shapes(model.shape, baseline.shape))
    total = model[..., 0] + baseline[..., 0]
    difference[..., 0] = (model[..., 0] - baseline[..., 0]) / np.where(total > 0, total, 1.0)
    own, other = (x[..., 1:] / np.maximum(x[..., :1], 1.0) for x in (model, baseline))
    difference[..., 1:] = (own - other) / (own + other + 1.0)
    return difference
