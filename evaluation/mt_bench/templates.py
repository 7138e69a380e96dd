"""The judge's templates, read from FastChat's judge_prompts.jsonl and filled in one pass."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.rows import read_rows
from mnpo.conversation import Message
from mnpo.errors import UserError, suggest
from mnpo.runs.files import digest

#: Where a template's parts stand; doubled braces are braces, as Python's str.format has it.
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class JudgeTemplate:
    """One row of the file.

    Attributes:
        name: e.g. "single-v1".
        system: the system turn, "" for none.
        text: of the user's turn, with {places}.
        sha256: of both.
    """

    name: str
    system: str
    text: str

    @property
    def sha256(self) -> str:
        """Hex digest of the system turn and the text."""
        return digest([self.system, self.text])

    @property
    def label(self) -> str:
        """Name and hash, for the key of a call."""
        return f"{self.name}@{self.sha256[:16]}"

    def messages(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """The judge's conversation.

        What is filled in is not looked at again: braces in an answer stay braces.

        Raises:
            UserError: the template has a place that nothing is known for.
        """

        def fill(place: re.Match[str]) -> str:
            if place[1] is None:
                return place[0][0]
            if place[1] not in values:
                raise UserError(
                    f"judge template '{self.name}': nothing is known for {{{place[1]}}}"
                    f"{suggest(place[1], values)}"
                )
            return values[place[1]]

        user = Message("user", _PLACE.sub(fill, self.text))
        return (Message("system", self.system), user) if self.system else (user,)


def read_templates(path: Path, output_format: str) -> dict[str, JudgeTemplate]:
    """The templates by name whose judge answers in one form.

    Args:
        path: judge_prompts.jsonl.
        output_format: "[[rating]]" or "[[A]]", as the file calls it.

    Raises:
        UserError: a row without name, system_prompt, prompt_template or output_format, or a name
            that stands there twice.
    """
    found: dict[str, JudgeTemplate] = {}
    for row in read_rows(path):
        if row.text("output_format") != output_format:
            continue
        own = JudgeTemplate(
            row.text("name"), row.text("system_prompt"), row.text("prompt_template")
        )
        if own.name in found:
            raise UserError(f"{row.where}: template '{own.name}' stands there twice")
        found[own.name] = own
    return found


def named(templates: Mapping[str, JudgeTemplate], name: str, path: Path) -> JudgeTemplate:
    """The template of that name.

    Raises:
        UserError: the file has none.
    """
    if name not in templates:
        raise UserError(f"{path}: has no judge template '{name}'")
    return templates[name]
