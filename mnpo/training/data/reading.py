"""Prompts from the user's files, or the project's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mnpo.errors import UserError
from mnpo.runs.files import digest, sha256_file
from mnpo.training.data.embedded import embedded_prompts
from mnpo.training.data.prompts import Prompt
from mnpo.training.data.rows import UnusablePair, prompt_of
from mnpo.training.data.tables import read_rows


@dataclass(frozen=True)
class ReadPrompts:
    """What files hold, in their order, every conversation once.

    Attributes:
        prompts: without duplicates.
        rows: rows that were read.
        unusable_pairs: rows left out because chosen and rejected are the same, or one is empty.
        duplicates: rows left out because their prompt came before.
        hashes: sha256 of each file, or of the embedded prompts.
    """

    prompts: tuple[Prompt, ...]
    rows: int
    unusable_pairs: int
    duplicates: int
    hashes: dict[str, str]


def read_prompts(
    source: Literal["embedded"] | Sequence[str | Path],
    part: Literal["train", "held-out"] = "train",
) -> ReadPrompts:
    """Read prompts and what is known about good continuations of them.

    Args:
        source: "embedded", or files.
        part: which part of the embedded prompts.

    Raises:
        UserError: a file cannot be read, a row is wrong (file, row and reason), or nothing is
            left.
    """
    if source == "embedded":
        prompts = embedded_prompts(part)
        keys = digest([[p.key, p.demonstrations, p.completions] for p in prompts])
        return ReadPrompts(prompts, len(prompts), 0, 0, {f"embedded ({part})": keys})
    paths = [Path(path) for path in source]
    if not paths:
        raise UserError("the list of prompt files is empty; name one, or 'embedded'")
    found: dict[str, Prompt] = {}
    rows = identical = duplicates = 0
    for path in paths:
        for number, row in read_rows(path):
            rows += 1
            try:
                prompt = prompt_of(row)
            except UnusablePair:
                identical += 1
                continue
            except UserError as error:
                raise UserError(f"{path}, row {number}: {error}") from None
            if prompt.key in found:
                duplicates += 1
            else:
                found[prompt.key] = prompt
    if not found:
        raise UserError(f"{', '.join(map(str, paths))}: no usable prompt among {rows} rows")
    hashes = {str(path): sha256_file(path) for path in paths}
    return ReadPrompts(tuple(found.values()), rows, identical, duplicates, hashes)
