"""From the body of a chat completion to a reply."""

import json
import math
from typing import Any

from mnpo.judging.calls import Reply, Usage

#: Why a reply is unusable that ended where the request's limit of tokens was.
CUT = "it was cut at max_tokens"


class NoCompletion(ValueError):
    """A successful response without a chat completion in it: cut, or of another form."""


def read_reply(body: str) -> Reply:
    """The reply in the body of a chat completion.

    A reply that was cut at the limit of tokens is unusable, unless its first token's
    log-probabilities came with it: what is read from the first token needs no second.

    Raises:
        NoCompletion: there is none.
    """
    try:
        whole = json.loads(body)
        choice = whole["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        text, refusal = message.get("content"), message.get("refusal")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise NoCompletion(f"the body is no chat completion: {body[:80]!r}") from None
    if not isinstance(text, str | None):
        raise NoCompletion(f"the message's content is no text: {str(text)[:80]!r}")
    usage, first = _usage(whole.get("usage")), _first_token(choice.get("logprobs"))
    written = text or ""
    if refusal or ended == "content_filter":
        return Reply(str(refusal or written), "the judge refused", usage=usage)
    if first is not None:
        return Reply(written, first_token=first, usage=usage)
    if ended == "length":
        return Reply(written, CUT, usage=usage)
    if not written.strip():
        return Reply("", "it is empty", usage=usage)
    return Reply(written, usage=usage)


def _usage(found: Any) -> Usage | None:
    if not isinstance(found, dict):
        return None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int or min(prompt, completion) < 0:
        return None
    return Usage(prompt, completion)


def _first_token(found: Any) -> tuple[tuple[str, float], ...] | None:
    """Likeliest first tokens; None where they are absent or none that one can read."""
    try:
        top = found["content"][0]["top_logprobs"]
        read = tuple((str(entry["token"]), float(entry["logprob"])) for entry in top)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    if not read or any(math.isnan(value) or value > 1e-3 for _, value in read):
        return None
    return read
