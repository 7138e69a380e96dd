"""The judge's user turn, filled in one pass."""

import string
from dataclasses import dataclass

from mnpo.errors import UserError

#: Placeholders of both generations, by what they stand for.
_FIELDS = {
    "question_1": "question",
    "QUESTION": "question",
    "answer_1": "first",
    "ANSWER_A": "first",
    "answer_2": "second",
    "ANSWER_B": "second",
}


@dataclass(frozen=True)
class Template:
    """A template taken apart: texts and placeholders in turn.

    Attributes:
        parts: (text, what stands after it: "question", "first", "second", or None at the end).
    """

    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Take a template of str.format's kind apart.

        Raises:
            UserError: an unknown or missing placeholder.
        """
        try:
            parsed = list(string.Formatter().parse(text))
        except ValueError as error:
            raise UserError(f"prompt_template: {error}") from None
        parts = []
        for literal, name, _, _ in parsed:
            if name is not None and name not in _FIELDS:
                raise UserError(f"prompt_template: unknown placeholder {{{name}}}")
            parts.append((literal, None if name is None else _FIELDS[name]))
        lacking = {"question", "first", "second"} - {name for _, name in parts}
        if lacking:
            raise UserError(f"prompt_template: no placeholder for {', '.join(sorted(lacking))}")
        return cls(tuple(parts))

    def fill(self, *, question: str, first: str, second: str) -> str:
        """The user's turn; braces in the texts stay as they are."""
        texts = {"question": question, "first": first, "second": second}
        return "".join(text + ("" if name is None else texts[name]) for text, name in self.parts)
