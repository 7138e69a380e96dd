"""What a policy is asked: conversations that end with a user's turn."""

from dataclasses import dataclass
from functools import cached_property

from mnpo.conversation import Message
from mnpo.runs.files import digest


@dataclass(frozen=True)
class Prompt:
    """A conversation to be continued, and what the data knows about good continuations.

    Attributes:
        messages: the turns; the last one is the user's.
        demonstrations: texts to imitate (SPIN's winners); may be empty.
        completions: given responses, used instead of sampled ones where a recipe says so: first
            the chosen, then the rejected one of an offline pair.
    """

    messages: tuple[Message, ...]
    demonstrations: tuple[str, ...] = ()
    completions: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """Hex sha256 of the conversation: two prompts with one key are the same question."""
        return digest([[m.role, m.content] for m in self.messages])

    @property
    def text(self) -> str:
        """The last user turn."""
        return self.messages[-1].content
