"""One row of a data file as a prompt: TRL's forms of prompts and preference pairs.

- conversational: ``prompt``, ``chosen`` and ``rejected`` are lists of ``{role, content}``;
- standard: they are texts, the prompt a user's turn;
- with the prompt repeated at the head of chosen and rejected, or only there;
- prompt only; prompt with ``completion`` or ``demonstration``;
- ``messages``: a conversation, whose last assistant's turn is a demonstration.

Other columns are left alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.training.data.encoding import check_conversation
from mnpo.training.data.prompts import Prompt

COLUMNS = ("prompt", "messages", "chosen", "rejected", "completion", "demonstration")


class UnusablePair(UserError):
    """Chosen and rejected are the same text, or one of them is empty: nothing can be compared."""


def prompt_of(row: Mapping[str, Any]) -> Prompt:
    """The prompt in a row.

    Completions are (chosen, rejected). Demonstrations are the row's own, else (chosen,).

    Raises:
        UnusablePair: chosen and rejected are the same.
        UserError: the row is none of the known forms; the message does not say which row.
    """
    values = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    if "completion" in values and isinstance(row.get("label"), bool):
        raise UserError(
            "'completion' with a true or false 'label' is unpaired preference data, which is not "
            "supported; pair completions as chosen and rejected"
        )
    messages, shown = _conversation(values)
    for name in ("chosen", "rejected"):
        if isinstance(values.get(name), str) and not values[name].strip():
            raise UnusablePair(f"'{name}' is empty")
    chosen, rejected = (_response(values, name, messages) for name in ("chosen", "rejected"))
    if (chosen is None) != (rejected is None):
        there, missing = ("chosen", "rejected") if rejected is None else ("rejected", "chosen")
        raise UserError(f"has '{there}' but no '{missing}'")
    demonstrations = [
        text
        for name in ("demonstration", "completion")
        if (text := _response(values, name, messages)) is not None
    ]
    if shown is not None:
        demonstrations.insert(0, shown)
    try:
        check_conversation(messages)
    except UserError as error:
        raise UserError(f"'prompt': {error}") from None
    if chosen is None or rejected is None:
        return Prompt(messages, demonstrations=tuple(demonstrations))
    if chosen == rejected:
        raise UnusablePair("'chosen' and 'rejected' are identical")
    return Prompt(messages, tuple(demonstrations) or (chosen,), (chosen, rejected))


def _conversation(values: Mapping[str, Any]) -> tuple[tuple[Message, ...], str | None]:
    """The prompt's turns, and the demonstration that a conversation under 'messages' ends with."""
    if "prompt" in values and "messages" in values:
        raise UserError("has both 'prompt' and 'messages'; keep one")
    if "prompt" in values:
        prompt = values["prompt"]
        if isinstance(prompt, str):
            _require_text(prompt, "prompt")
            return (Message("user", prompt),), None
        return _messages(prompt, "prompt"), None
    if "messages" in values:
        messages = _messages(values["messages"], "messages")
        if len(messages) > 1 and messages[-1].role == "assistant":
            return messages[:-1], _text(messages[-1].content, "messages")
        return messages, None
    if isinstance(values.get("chosen"), list) and isinstance(values.get("rejected"), list):
        chosen = _messages(values["chosen"], "chosen")
        rejected = _messages(values["rejected"], "rejected")
        if chosen[:-1] != rejected[:-1]:
            raise UserError(
                "has no 'prompt', and 'chosen' and 'rejected' differ before their last turn"
            )
        if len(chosen) > 1:
            return chosen[:-1], None
    raise UserError("has neither 'prompt' nor 'messages'")


def _response(values: Mapping[str, Any], name: str, prompt: Sequence[Message]) -> str | None:
    """The text of a response; a repeated prompt before it must be the row's prompt."""
    if name not in values:
        return None
    value = values[name]
    if isinstance(value, str):
        return _text(value, name)
    messages = _messages(value, name)
    if messages[-1].role != "assistant":
        raise UserError(f"'{name}' ends with the {messages[-1].role}'s turn, not the assistant's")
    before = messages[:-1]
    # A system turn is often left out where the prompt is repeated.
    without_system = tuple(m for m in prompt if m.role != "system")
    if before and before not in (tuple(prompt), without_system):
        raise UserError(f"'{name}' answers another prompt than 'prompt'")
    return _text(messages[-1].content, name)


def _messages(value: Any, name: str) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise UserError(f"'{name}' is a {type(value).__name__}, expected a text or messages")
    if not value:
        raise UserError(f"'{name}' is empty")
    for number, turn in enumerate(value, start=1):
        if not isinstance(turn, dict) or not {"role", "content"} <= turn.keys():
            raise UserError(
                f"'{name}', turn {number}: expected {{role, content}}, got {turn!r:.60}"
            )
        if not (isinstance(turn["role"], str) and isinstance(turn["content"], str)):
            raise UserError(f"'{name}', turn {number}: role and content must be texts")
        _require_text(turn["content"], name)
    return tuple(Message(turn["role"], turn["content"]) for turn in value)


def _text(text: str, name: str) -> str:
    if not text.strip():
        kind = UnusablePair if name in ("chosen", "rejected") else UserError
        raise kind(f"'{name}' is empty")
    _require_text(text, name)
    return text


def _require_text(text: str, name: str) -> None:
    """JSON can escape halves of characters, which no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        broken = f"\\u{ord(text[error.start]):04x}"
        raise UserError(f"'{name}' holds half a character ({broken}); repair the text") from None
