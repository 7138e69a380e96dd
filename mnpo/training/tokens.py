"""The token contract: ids are fixed once, when a response is made, and reused ever after.

Sampling, annotation, log-probs and training disagree silently when one of them tokenizes again: a
doubled BOS, another chat template, text that splits differently. Here every set of ids carries
the hashes of the tokenizer and template that made it, and whoever uses them checks.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mnpo.errors import UserError
from mnpo.runs.files import digest

if TYPE_CHECKING:  # whoever has a tokenizer has imported transformers; this module need not
    from transformers import PreTrainedTokenizerBase


class TokenDrift(UserError):
    """Ids made under one tokenizer or chat template meet a model with another."""


@dataclass(frozen=True)
class TokenContract:
    """Which tokenizer and chat template fixed a set of ids.

    Attributes:
        tokenizer: hex sha256 of the tokenizer's full definition (vocabulary, merges, rules).
        template: hex sha256 of the chat template's text.
        end_ids: ids that end a response, the one the tokenizer calls EOS first.
        pad_id: the id that fills rows; never attended to.
    """

    tokenizer: str
    template: str
    end_ids: tuple[int, ...]
    pad_id: int

    def describe(self) -> dict[str, Any]:
        """JSON-ready, for hashes and manifests."""
        return asdict(self) | {"end_ids": list(self.end_ids)}

    def require_same(self, other: "TokenContract", mine: str, theirs: str) -> None:
        """Refuse another tokenizer or template.

        Args:
            other: the contract to compare with.
            mine: what this one belongs to, for the message.
            theirs: what the other one belongs to.

        Raises:
            TokenDrift: with both hashes.
        """
        for name in ("tokenizer", "template"):
            own, found = getattr(self, name), getattr(other, name)
            if own != found:
                what = "tokenizer" if name == "tokenizer" else "chat template"
                raise TokenDrift(
                    f"{mine} has {what} {own[:12]} and {theirs} has {found[:12]}; ids made under "
                    "one cannot be used with the other: use models that share it"
                )


def contract_of(
    tokenizer: "PreTrainedTokenizerBase", generation_end_ids: Iterable[int] = ()
) -> TokenContract:
    """The contract of a tokenizer.

    Args:
        tokenizer: with a chat template.
        generation_end_ids: further ids that end a response, from the model's generation
            configuration (`mnpo.training.models.loading.load_contract` reads them).

    Raises:
        UserError: no chat template, or no token that ends a response.
    """
    template = chat_template(tokenizer)
    turn_end = turn_end_id(tokenizer)
    eos = _single_id(tokenizer, "eos_token_id")
    ends = [end for end in (eos, turn_end) if end is not None]
    end_ids = tuple(dict.fromkeys([*ends, *sorted(generation_end_ids)]))
    if not end_ids:
        raise UserError(
            f"{called(tokenizer)} has no EOS token and its chat template ends a turn with no "
            "special token, so a response could not end; set eos_token in tokenizer_config.json"
        )
    pad = _single_id(tokenizer, "pad_token_id")
    return TokenContract(
        tokenizer=_definition_hash(tokenizer),
        template=digest(template),
        end_ids=end_ids,
        pad_id=end_ids[0] if pad is None else pad,
    )


def chat_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The text of the chat template.

    Raises:
        UserError: there is none.
    """
    template = tokenizer.chat_template
    if isinstance(template, Mapping):  # several named ones
        template = template.get("default")
    if not template:
        raise UserError(
            f"{called(tokenizer)} has no chat template; use an instruction-tuned model, or add "
            "chat_template.jinja to its folder"
        )
    return str(template)


def turn_end_id(tokenizer: "PreTrainedTokenizerBase") -> int | None:
    """The special token that the chat template writes after an assistant's turn.

    It differs from EOS in many chat models. None where the template writes no special token.
    """
    mark = "mnpo"
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": mark}]
    text = render(tokenizer, turns, generation_prompt=False)
    tail = text[text.rindex(mark) + len(mark) :] if mark in text else ""
    special = special_ids(tokenizer)
    ids = tokenizer(tail, add_special_tokens=False)["input_ids"] if tail else []
    return next((int(i) for i in ids if i in special), None)


def special_ids(tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    """Ids of the tokens that are marks of the format, not text."""
    added = {int(i) for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(added | {int(i) for i in tokenizer.all_special_ids})


def render(
    tokenizer: "PreTrainedTokenizerBase",
    messages: Sequence[Mapping[str, str]],
    *,
    generation_prompt: bool,
) -> str:
    """A conversation as the template writes it.

    Raises:
        UserError: the template refuses the conversation; its own words follow.
    """
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            tokenize=False,
            add_generation_prompt=generation_prompt,
        )
    except TemplateError as error:
        raise UserError(
            f"the chat template of {called(tokenizer)} refuses a conversation of "
            f"{', '.join(m['role'] for m in messages)}: {' '.join(str(error).split())}"
        ) from None
    return str(text)


def decode(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> str:
    """The text of a response: special tokens left out, spaces as they are."""
    text = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text)


def check_retokenized(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int], text: str) -> None:
    """Refuse ids that were made from a text but do not say that text.

    For backends that return text only. That the ids say the same text does not prove that they
    are the ids which were sampled: a text can have several tokenizations, and its log-probability
    is then that of the usual one.

    Raises:
        TokenDrift: with the place where the decoded ids first differ from the text.
    """
    found = decode(tokenizer, ids)
    if found == text:
        return
    pairs = enumerate(zip(found, text, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(found), len(text)))
    raise TokenDrift(
        f"a response does not survive tokenizing: from character {first + 1} on it reads "
        f"{text[first : first + 20]!r}, and decoded from its ids {found[first : first + 20]!r}; "
        "use a backend that returns token ids"
    )


def called(tokenizer: "PreTrainedTokenizerBase") -> str:
    """What messages call a tokenizer."""
    name = tokenizer.name_or_path
    return f"the tokenizer of {name}" if name else "the tokenizer"


def _definition_hash(tokenizer: "PreTrainedTokenizerBase") -> str:
    if tokenizer.is_fast:
        definition = json.loads(tokenizer.backend_tokenizer.to_str())
        for state in ("padding", "truncation"):  # left over from the last call, not a definition
            definition.pop(state, None)
    else:
        added = {str(i): str(token) for i, token in tokenizer.added_tokens_decoder.items()}
        definition = {"class": type(tokenizer).__name__, "added": added} | {
            "vocabulary": tokenizer.get_vocab()
        }
    return digest(definition | {"bos": tokenizer.bos_token, "eos": tokenizer.eos_token})


def _single_id(tokenizer: "PreTrainedTokenizerBase", name: str) -> int | None:
    value = getattr(tokenizer, name)
    return None if value is None else int(value)
