"""Prompts and given responses as token ids, through the chat template, once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.training.data.groups import Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.tokens import (
    called,
    chat_template,
    contract_of,
    decode,
    render,
    special_ids,
    turn_end_id,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROLES = ("system", "user", "assistant")


class ControlToken(UserError):
    """A text holds what the tokenizer reads as a mark of the conversation's format."""


def check_conversation(messages: Sequence[Message], *, allow_empty_answers: bool = False) -> None:
    """Refuse what is not a conversation to be continued.

    A system turn may open it; then user and assistant alternate; the user has the last word.

    Args:
        messages: the turns.
        allow_empty_answers: an assistant may have said nothing.

    Raises:
        UserError: what is wrong, without saying where: the caller knows.
    """
    if not messages:
        raise UserError("the prompt is empty")
    for number, message in enumerate(messages, start=1):
        if message.role not in ROLES:
            raise UserError(
                f"turn {number} has the unknown role {message.role!r}: use system, "
                "user or assistant"
            )
        silent = allow_empty_answers and message.role == "assistant"
        if not (message.content.strip() or silent):
            raise UserError(f"turn {number} ({message.role}) is empty")
    turns = [message.role for message in messages]
    first = 1 if turns[0] == "system" else 0
    for number, role in enumerate(turns[first:]):
        expected = ("user", "assistant")[number % 2]
        if role != expected:
            raise UserError(
                f"turn {number + first + 1} is the {role}'s, expected the {expected}'s: turns "
                "alternate, the first after the system's is the user's"
            )
    if turns[-1] != "user":
        raise UserError(f"the last turn is the {turns[-1]}'s; a prompt ends with the user's")


def encode_prompt(
    tokenizer: "PreTrainedTokenizerBase", prompt: Prompt, *, allow_empty_answers: bool = False
) -> tuple[int, ...]:
    """Ids of a prompt under the chat template, generation prompt included.

    Args:
        tokenizer: the policy's.
        prompt: the conversation.
        allow_empty_answers: an earlier answer in it may be empty.

    Raises:
        ControlToken: a turn contains a special token of the tokenizer as text.
        UserError: it is no conversation that ends with a user's turn, the tokenizer has no chat
            template or its template refuses the conversation, or the ids begin with two BOS.
    """
    chat_template(tokenizer)
    try:
        check_conversation(prompt.messages, allow_empty_answers=allow_empty_answers)
        for message in prompt.messages:
            refuse_control_tokens(tokenizer, message.content)
        text = render(tokenizer, _turns(prompt), generation_prompt=True)
    except UserError as error:
        raise type(error)(f"prompt {shown(prompt)}: {error}") from None
    ids = _tokenize(tokenizer, text)
    bos = tokenizer.bos_token_id
    if bos is not None and ids[:2] == (bos, bos):
        raise UserError(
            f"prompt {shown(prompt)}: {called(tokenizer)} begins it with two BOS tokens; remove "
            "one from its chat template"
        )
    return ids


def encode_response(
    tokenizer: "PreTrainedTokenizerBase", prompt: Prompt, text: str
) -> tuple[int, ...]:
    """Ids of a given response, to follow the prompt's ids.

    Where the template's rendering of the whole conversation begins with the prompt's ids, they
    are the rest of it up to the token that ends the turn. Some templates rewrite earlier turns, or
    merge the first letters of a response with the end of the prompt; there the response is
    tokenized on its own and the end token added, which is what a policy that continues the prompt
    would have to generate.

    Raises:
        ControlToken: the text contains a special token.
        UserError: the text is empty, or the tokenizer has no end token.
    """
    if not text.strip():
        raise UserError(f"prompt {shown(prompt)}: a given response is empty")
    try:
        refuse_control_tokens(tokenizer, text)
    except ControlToken as error:
        raise ControlToken(f"prompt {shown(prompt)}, given response: {error}") from None
    turn_end = turn_end_id(tokenizer)
    eos = tokenizer.eos_token_id
    if turn_end is None and eos is None:
        contract_of(tokenizer)  # refuses, and says why
    end = int(eos) if turn_end is None else turn_end
    start = encode_prompt(tokenizer, prompt)
    turns = [*_turns(prompt), {"role": "assistant", "content": text}]
    whole = _tokenize(tokenizer, render(tokenizer, turns, generation_prompt=False))
    rest = whole[len(start) :]
    if whole[: len(start)] == start and end in rest:
        ids = rest[: rest.index(end)]
        if ids and decode(tokenizer, ids).strip() == text.strip():
            return (*ids, end)
    return (*_tokenize(tokenizer, text), end)


def given_responses(tokenizer: "PreTrainedTokenizerBase", prompt: Prompt) -> tuple[Response, ...]:
    """The prompt's own completions as responses, as if they had been sampled."""
    encoded = (encode_response(tokenizer, prompt, text) for text in prompt.completions)
    return tuple(Response(ids=ids, text=decode(tokenizer, ids), finished=True) for ids in encoded)


def shown(prompt: Prompt) -> str:
    """What messages call a prompt: the beginning of its last turn, quoted."""
    text = " ".join(prompt.text.split()) if prompt.messages else ""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _turns(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} for m in prompt.messages]


def _tokenize(tokenizer: "PreTrainedTokenizerBase", text: str) -> tuple[int, ...]:
    # The template has written every special token itself, BOS included.
    return tuple(int(i) for i in tokenizer(text, add_special_tokens=False)["input_ids"])


def refuse_control_tokens(tokenizer: "PreTrainedTokenizerBase", text: str) -> None:
    """Refuse a text in which the tokenizer would read marks of the conversation's format.

    A user's text could end its own turn otherwise, and a response could go on as another role.

    Raises:
        ControlToken: naming the token.
    """
    special = special_ids(tokenizer)
    for i in sorted(special):
        token = str(tokenizer.convert_ids_to_tokens(i))
        if token and token in text:
            raise ControlToken(
                f"the text contains {token!r}, which the tokenizer reads as a mark of the "
                "conversation's format; remove it from the data"
            )
