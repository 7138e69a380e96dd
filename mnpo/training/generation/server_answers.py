"""From a server's answer to token ids, refusing what is not what the policy said."""

from collections.abc import Sequence
from typing import Any

from openai.types import Completion as Reply
from transformers import PreTrainedTokenizerBase

from mnpo.errors import UserError
from mnpo.training.generation.base import Completion
from mnpo.training.tokens import TokenContract, TokenDrift, check_retokenized, turn_end_id


def returned_ids(
    reply: Reply, prompt: Sequence[int], contract: TokenContract, limit: int
) -> Completion:
    """The ids that the server itself sampled.

    Args:
        reply: with ``token_ids`` in its choice, as vLLM gives on ``return_token_ids``.
        prompt: the ids that were asked about.
        contract: what ends a completion.
        limit: tokens that were asked for.

    Raises:
        TokenDrift: the server read another prompt than the one sent.
        UserError: no ids, an end that is not in the contract, or an early cut.
    """
    extra: dict[str, Any] = reply.choices[0].model_extra or {}
    ids = extra.get("token_ids")
    if not ids:
        raise UserError(
            "the server returns no token ids; set sampling.server.token_ids to 'retokenized', or "
            "use a server that returns them (vLLM 0.10.2 or later)"
        )
    _check_prompt(reply, prompt)
    read = extra.get("prompt_token_ids")
    if read is not None and list(read) != list(prompt):
        raise TokenDrift("the server read a prompt of other token ids than were sent to it")
    finished = ids[-1] in contract.end_ids
    if not finished and reply.choices[0].finish_reason == "stop":
        raise UserError(
            f"the server ended a response with token {ids[-1]}, which is no end token of the "
            f"policy's tokenizer ({list(contract.end_ids)}): start it without stop strings"
        )
    if not finished:
        _check_cut(len(ids), limit)
    return Completion(tuple(ids), finished)


class Retokenizer:
    """Ids from text, for servers that return no ids.

    The ids say the same text, which is checked; where a text has several tokenizations they need
    not be those that were sampled (docs/generation.md).

    Attributes:
        recounted: completions whose number of tokens differs from the server's own count.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, contract: TokenContract) -> None:
        self._tokenizer = tokenizer
        self._contract = contract
        # chat models end a turn with its own token; without one it is the tokenizer's EOS
        turn_end = turn_end_id(tokenizer)
        self._end = contract.end_ids[0] if turn_end is None else turn_end
        self.recounted = 0

    def prompt_text(self, ids: Sequence[int]) -> str:
        """The text that a server, adding special tokens as it does, reads as exactly these ids.

        Raises:
            TokenDrift: there is none.
        """
        text = str(self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))
        variants = [text]
        if self._tokenizer.bos_token:  # many tokenizers put it there themselves
            variants.append(text.removeprefix(str(self._tokenizer.bos_token)))
        for variant in variants:
            if self._tokenizer(variant)["input_ids"] == list(ids):
                return variant
        raise TokenDrift(
            "a prompt does not survive being sent as text: the server would read other token ids; "
            "use a server that takes token ids, or another backend"
        )

    def completion(
        self, reply: Reply, prompt: Sequence[int], limit: int, *, greedy: bool = False
    ) -> Completion | None:
        """The completion, or None where its text does not stand for ids.

        Args:
            reply: the server's.
            prompt: the ids that were asked about.
            limit: tokens that were asked for.
            greedy: another draw would say the same; so a cut in the middle of a character is moved
                to before it.

        Raises:
            TokenDrift: the server counted another number of tokens in the prompt.
            UserError: an early cut.
        """
        _check_prompt(reply, prompt)
        choice = reply.choices[0]
        finished = choice.finish_reason == "stop"
        if not finished and reply.usage is not None:
            _check_cut(reply.usage.completion_tokens, limit)
        text = choice.text.rstrip("\ufffd") if greedy and not finished else choice.text
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        if "\ufffd" in text or set(ids) & set(self._contract.end_ids):
            return None  # bytes that are no text, or a text that spells an end token
        try:
            check_retokenized(self._tokenizer, ids, text)
        except TokenDrift:
            return None
        if finished:
            ids = [*ids, self._end]
        if not ids:
            return None
        if reply.usage is not None and reply.usage.completion_tokens != len(ids):
            self.recounted += 1
        return Completion(tuple(ids), finished)


def _check_prompt(reply: Reply, prompt: Sequence[int]) -> None:
    if reply.usage is not None and reply.usage.prompt_tokens != len(prompt):
        raise TokenDrift(
            f"the server read a prompt of {len(prompt)} tokens as {reply.usage.prompt_tokens}: "
            "it uses another tokenizer or adds special tokens; serve the checkpoint itself"
        )


def _check_cut(made: int, limit: int) -> None:
    if made < limit:
        raise UserError(
            f"the server cut a response after {made} of {limit} tokens: start it with a longer "
            "context (vLLM: --max-model-len)"
        )
