"""The texts that judges and pair models read, as jinja2 templates."""

from collections.abc import Collection
from importlib.resources import files
from typing import Literal

import jinja2
import jinja2.meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mnpo.errors import InvalidSetting, suggest
from mnpo.training.data.prompts import Prompt

_ALWAYS = ("messages", "prompt", "response_a", "response_b")
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=False
)


class ComparisonTemplate:
    """How a prompt and two responses become one text.

    Args:
        source: the template; None takes the project's own of that name.
        default: which one that is.
        extra: variables beside messages, prompt (the last turn's text), response_a, response_b.

    Attributes:
        source: the text of the template, which a judge's answers depend on.

    Raises:
        InvalidSetting: it is not jinja2, leaves a response out, or names an unknown variable.
    """

    def __init__(
        self,
        source: str | None,
        default: Literal["judge", "pair"],
        extra: Collection[str] = (),
    ) -> None:
        if source is None:
            source = files(__package__).joinpath("templates", f"{default}.jinja").read_text("utf-8")
        self.source = source
        try:
            used = jinja2.meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
            self._template = _ENVIRONMENT.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise InvalidSetting(f"oracle.template: line {error.lineno}: {error.message}") from None
        for name in ("response_a", "response_b"):
            if name not in used:
                raise InvalidSetting(f"oracle.template: does not contain {{{{ {name} }}}}")
        known = {*_ALWAYS, *extra}
        for name in sorted(used - known):
            raise InvalidSetting(
                f"oracle.template: unknown variable '{name}'{suggest(name, known)}"
            )

    def render(self, prompt: Prompt, first: str, second: str, **extra: str) -> str:
        """The text with ``first`` as A and ``second`` as B.

        Raises:
            InvalidSetting: the template fails on this prompt.
        """
        try:
            return self._template.render(
                messages=prompt.messages,
                prompt=prompt.text,
                response_a=first,
                response_b=second,
                **extra,
            )
        except jinja2.TemplateError as error:
            raise InvalidSetting(f"oracle.template: {error}") from None
