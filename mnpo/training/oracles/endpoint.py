"""One question to an OpenAI-compatible endpoint, through bad networks and busy servers."""

import asyncio
import json
import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import openai

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.base import OracleFailure
from mnpo.training.oracles.settings import JudgeSettings

#: Client errors that pass: request timeout, conflict, too early, too many requests.
_PASSING = frozenset({408, 409, 425, 429})
RESUME = "answers so far are kept: run the same command again to go on"


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: of the first choice.
        unusable: why it cannot be read as an answer (cut, refused, empty), or None.
    """

    text: str
    unusable: str | None


class Endpoint:
    """An async client; use it as a context manager inside one event loop.

    The key is read from the environment when the client opens, and is not kept.

    Raises:
        InvalidSetting: the named variable is not set.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._key: str | None = None

    async def __aenter__(self) -> "Endpoint":
        self._key = read_key(self._settings)
        # base_url and key are always given: a client left to itself would take OPENAI_* variables
        # and could send that key to another server.
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._settings.url,
            timeout=self._settings.timeout,
            max_retries=0,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._key = None
        await self._client.close()

    async def ask(self, text: str, seed: int | None) -> Reply:
        """The reply to one user turn.

        A failure of network or server (no connection, timeout, 408, 409, 425, 429, 5xx, a body
        that is no chat completion) is tried again after a wait that doubles, with jitter, or that
        the server's Retry-After names.

        Raises:
            OracleFailure: the server refuses the request, or fails more often than the settings
                allow.
        """
        last = self._settings.retries
        for attempt in range(last + 1):
            wait = None
            try:
                async with asyncio.timeout(self._settings.timeout):
                    return _read_reply(await self._request(text, seed))
            except (TimeoutError, openai.APITimeoutError):
                why = f"no reply within {self._settings.timeout:g} s"
            except openai.APIConnectionError as error:
                why = f"no connection ({error.__cause__ or error})"
            except openai.APIStatusError as error:
                why = f"status {error.status_code}: {error.message}"
                if error.status_code < 500 and error.status_code not in _PASSING:
                    raise self._failure("refuses the request", why) from None
                wait = retry_after(error.response.headers.get("retry-after"))
            except _NoCompletion as error:
                why = str(error)
            if attempt < last:
                await asyncio.sleep(self._wait(attempt, wait, why))
        raise self._failure(f"failed {last + 1} times", why)

    async def _request(self, text: str, seed: int | None) -> str:
        given: dict[str, Any] = {
            "temperature": self._settings.temperature,
            "max_tokens": self._settings.max_tokens,
            "seed": seed,
        }
        raw = await self._client.chat.completions.with_raw_response.create(
            model=self._settings.model,
            messages=[{"role": "user", "content": text}],
            extra_body=self._settings.extra_body,
            **{name: value for name, value in given.items() if value is not None},
        )
        return str(raw.http_response.text)

    def _wait(self, attempt: int, asked: float | None, why: str) -> float:
        """Seconds until the next attempt; jitter keeps many askers from coming back together."""
        longest = self._settings.max_wait
        if asked is None:
            wait = min(longest, self._settings.first_wait * 2.0**attempt)
            return wait * random.uniform(0.5, 1.0)
        if asked > longest:
            raise self._failure(
                f"asks to wait {asked:g} s, longer than max_wait ({longest:g} s)", why
            )
        return asked * random.uniform(1.0, 1.1)

    def _failure(self, what: str, why: str) -> OracleFailure:
        shown = " ".join(why.split())
        if self._key:
            shown = shown.replace(self._key, "[key]")
        judge = f"judge '{self._settings.model}' at {self._settings.url}"
        return OracleFailure(f"{judge} {what}: {shown[:300]}; {RESUME}")


class _NoCompletion(ValueError):
    """A successful response without a chat completion in it."""


def read_key(settings: JudgeSettings) -> str | None:
    """The key from the environment, None where the settings name no variable.

    Raises:
        InvalidSetting: the variable is not set.
    """
    name = settings.api_key_env
    if name is None:
        return None
    if not os.environ.get(name):
        raise InvalidSetting(f"oracle.api_key_env: the environment variable {name} is not set")
    return os.environ[name]


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header (a number or a date) asks for; None if it says neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        if at.tzinfo is None:  # "-0000": a UTC time whose sender knows no zone
            at = at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if seconds == seconds else None


def _read_reply(body: str) -> Reply:
    try:
        choice = json.loads(body)["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        text, refusal = message.get("content"), message.get("refusal")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise _NoCompletion(f"the body is no chat completion: {body[:80]!r}") from None
    if refusal or ended == "content_filter":
        return Reply(str(refusal or ""), "the judge refused")
    if ended == "length":
        return Reply(str(text or ""), "it was cut at max_tokens")
    if not isinstance(text, str) or not text.strip():
        return Reply("", "it is empty")
    return Reply(text, None)
