"""A judge's question and its choices as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.training.tokens import called, chat_template, render, special_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Never part of a text: Unicode reserves it for a program's own use, and it is checked for.
_STANDS_FOR = "\ue000{}\ue001"


@dataclass(frozen=True)
class ChoiceIds:
    """What a judge chooses between, as ids that follow the question's.

    Attributes:
        shared: ids with which every choice begins: those of the lead, up to where a tokenizer
            merges its end with the choice.
        rests: of each choice the ids after them; at least one.
    """

    shared: tuple[int, ...]
    rests: tuple[tuple[int, ...], ...]


def encode_question(
    tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], *, join_system: bool
) -> tuple[int, ...]:
    """Ids of a question under the chat template, generation prompt included.

    A text of the question that spells one of the tokenizer's marks, e.g. an answer that contains
    the mark of a turn's end, is read as those letters: it ends no turn.

    Args:
        tokenizer: with a chat template.
        messages: the turns; the last one is the user's.
        join_system: put a system turn before the text of the first user turn, for templates that
            know no system turn.

    Raises:
        UserError: no chat template, or it refuses the conversation; a mark that the tokenizer
            cannot spell; or the ids begin with two BOS.
    """
    chat_template(tokenizer)
    turns = _turns(messages, join_system)
    marks = sorted(
        (str(tokenizer.convert_ids_to_tokens(i)) for i in special_ids(tokenizer)),
        key=lambda mark: (-len(mark), mark),
    )
    written = "".join(turn["content"] for turn in turns)
    found = [mark for mark in marks if mark and mark in written]
    if found and "\ue000" in written:
        raise UserError("the text holds both U+E000 and a mark of the chat template")
    for turn in turns:
        for number, mark in enumerate(found):
            turn["content"] = turn["content"].replace(mark, _STANDS_FOR.format(number))
    text = render(tokenizer, turns, generation_prompt=True)
    ids = _with_marks_spelled(tokenizer, text, found)
    bos = tokenizer.bos_token_id
    if bos is not None and ids[:2] == (bos, bos):
        raise UserError(
            f"{called(tokenizer)} begins the question with two BOS tokens; remove one from its "
            "chat template"
        )
    return ids


def encode_choices(
    tokenizer: "PreTrainedTokenizerBase", lead: str, choices: Sequence[str]
) -> ChoiceIds:
    """Ids of ``lead + choice`` for every choice, each tokenized as one text.

    Raises:
        UserError: fewer than two choices, an empty one, or two with the same ids.
    """
    if len(choices) < 2 or not all(choices):
        raise UserError(f"needs at least two choices, none of them empty, got {list(choices)}")
    whole = [_plain(tokenizer, lead + choice) for choice in choices]
    if len(set(whole)) < len(whole):
        raise UserError(f"two of the choices {list(choices)} are the same tokens")
    # Of a choice that begins another one the last id stays out of what all share.
    longest = min(len(_plain(tokenizer, lead)), *(len(ids) - 1 for ids in whole))
    same = 0
    while same < longest and len({ids[same] for ids in whole}) == 1:
        same += 1
    return ChoiceIds(whole[0][:same], tuple(ids[same:] for ids in whole))


def _turns(messages: Sequence[Message], join_system: bool) -> list[dict[str, str]]:
    turns = [{"role": m.role, "content": m.content} for m in messages]
    if join_system and len(turns) > 1 and turns[0]["role"] == "system":
        system = turns.pop(0)["content"]
        turns[0]["content"] = (
            f"{system}\n\n{turns[0]['content']}" if system else turns[0]["content"]
        )
    return turns


def _with_marks_spelled(
    tokenizer: "PreTrainedTokenizerBase", text: str, marks: Sequence[str]
) -> tuple[int, ...]:
    ids: list[int] = []
    pieces = text.split("\ue000") if marks else [text]
    for number, piece in enumerate(pieces):
        if number:
            index, piece = piece.split("\ue001", 1)
            ids += _plain(tokenizer, marks[int(index)])
        if piece:
            # The template has written every special token itself, BOS included.
            ids += tokenizer(piece, add_special_tokens=False, verbose=False)["input_ids"]
    return tuple(int(i) for i in ids)


def _plain(tokenizer: "PreTrainedTokenizerBase", text: str) -> tuple[int, ...]:
    """Ids of a text in which nothing is a mark."""
    found = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)[
        "input_ids"
    ]
    ids = tuple(int(i) for i in found)
    if special_ids(tokenizer) & set(ids):
        raise UserError(
            f"{called(tokenizer)} reads {text[:40]!r} as a mark of the conversation's format and "
            "cannot spell it"
        )
    return ids
