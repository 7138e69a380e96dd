"""A turn of a conversation: what models are asked with, and judges too.

A leaf module: it imports nothing of the project and anything may import it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: "system", "user" or "assistant".
        content: the text.
    """

    role: str
    content: str
