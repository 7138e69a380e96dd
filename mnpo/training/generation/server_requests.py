"""One request to an OpenAI-compatible server: sent until it is answered, or given up."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
from openai.types import Completion as Reply

from mnpo.errors import UserError


@dataclass(frozen=True)
class Retries:
    """How long to put up with a server.

    Attributes:
        attempts: requests in all, for one completion.
        first_pause: seconds before the second; each later pause is twice as long, and every one
            is shortened by up to half at random, so that requests do not come back in step.
        longest_pause: seconds.
        timeout: seconds for one request.
    """

    attempts: int = 6
    first_pause: float = 0.5
    longest_pause: float = 30.0
    timeout: float = 600.0


class Stopped(Exception):
    """The call that a request belongs to has ended already."""


class RefusedRequest(Exception):
    """The server does not accept this form of the request; with its own words."""


#: A moment's trouble: no connection, too slow, overloaded, an answer that broke off.
_TRANSIENT = (
    openai.APIConnectionError,  # timeouts are among them
    openai.RateLimitError,
    openai.InternalServerError,
    openai.APIResponseValidationError,
    json.JSONDecodeError,
)


def send(
    client: openai.OpenAI,
    request: dict[str, Any],
    *,
    retries: Retries,
    stop: threading.Event,
    require_alive: Callable[[], None],
) -> Reply:
    """Send until answered.

    Args:
        client: one without retries of its own.
        request: arguments of ``client.completions.create``.
        retries: see there.
        stop: once set, pauses end and nothing is sent any more.
        require_alive: raises where the server's process has ended, so that nobody waits for it.

    Raises:
        RefusedRequest: the server calls the request itself wrong.
        UserError: no usable answer, a refused key, an address elsewhere, or a server that ended.
        Stopped: ``stop`` was set.
    """
    noise = random.SystemRandom()  # not the run's generators: pauses are no part of a result
    reason = ""
    for attempt in range(retries.attempts):
        if attempt > 0:
            pause = min(retries.first_pause * 2 ** (attempt - 1), retries.longest_pause)
            stop.wait(pause * noise.uniform(0.5, 1.0))
        if stop.is_set():
            raise Stopped
        try:
            reply = client.completions.create(**request, timeout=retries.timeout)
        except _TRANSIENT as error:
            reason = one_line(error)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise UserError(
                f"the server refuses the key ({one_line(error)}); name the environment variable "
                "that holds it in sampling.server.api_key_env"
            ) from None
        except openai.APIStatusError as error:
            if 300 <= error.status_code < 400:
                where = error.response.headers.get("location", "an address that it does not say")
                raise UserError(
                    f"the server at {client.base_url} sends elsewhere (status "
                    f"{error.status_code}, to {where}); if that is the right server, set "
                    "sampling.server.url to it"
                ) from None
            raise RefusedRequest(one_line(error)) from None
        else:
            if isinstance(reply, Reply) and reply.choices:
                return reply
            reason = "an answer without choices"
        require_alive()
    raise UserError(
        f"the server at {client.base_url} gave no usable answer in {retries.attempts} attempts "
        f"({reason}); finished work is kept: start the same run again to go on from there"
    )


def one_line(error: Exception) -> str:
    """An error's text, cut to one line that a message can hold."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
