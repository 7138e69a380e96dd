"""A language model behind an OpenAI-compatible endpoint, through bad networks and busy servers."""

import asyncio
import random
from asyncio import sleep
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnpo.judging.bodies import bound_body, require_bounded
from mnpo.judging.calls import Call, JudgeDown, JudgeFailure, Reply
from mnpo.judging.failures import JudgeRefusal
from mnpo.judging.meter import current_meter
from mnpo.judging.replies import NoCompletion, read_reply
from mnpo.judging.secrecy import hidden_in_logs, hide, read_key
from mnpo.judging.settings import EndpointBase, EndpointSettings
from mnpo.judging.waiting import retry_after
from mnpo.printable import storable

if TYPE_CHECKING:
    import openai

#: Client errors that pass: request timeout, conflict, too early, too many requests.
_PASSING = frozenset({408, 409, 425, 429})
#: Those that every other call would meet too: no key, no money, no rights, no such model.
_FOR_ALL = frozenset({401, 402, 403, 404})
#: Between the seeds of one call's attempts: more than there are repeats.
_STRIDE = 1 << 16


class EndpointJudge:
    """A judge behind an endpoint.

    The key is read from the named variable when the client opens. Neither it nor any other
    variable that the openai package knows (OPENAI_API_KEY, OPENAI_ORG_ID and so on) is used.

    Args:
        settings: where it is, what goes before a call's own parameters, and patience.
        called: how messages call these settings.

    Raises:
        InvalidSetting: the variable of the key is not set.
    """

    def __init__(self, settings: EndpointBase, *, called: str = "judge") -> None:
        own = settings if isinstance(settings, EndpointSettings) else None
        self.name = (own and own.name) or settings.model
        self._omit = frozenset(own.omit if own else ())
        self._settings = settings
        self._called = f"{called}.api_key_env"
        read_key(settings.api_key_env, self._called)  # said before the work starts
        self._key: str | None = None
        self._client: openai.AsyncOpenAI | None = None
        self._open = ExitStack()

    def describe(self) -> dict[str, Any]:
        """Model and address; the parameters of each call stand beside them in its key."""
        return {"kind": "endpoint", "model": self._settings.model, "url": self._settings.url}

    def parameters(self, call: Call) -> Mapping[str, Any]:
        """The call's own, under the settings' temperature, max_tokens, seed and extra_body."""
        s = self._settings
        found = {name: v for name, v in call.parameters.items() if name not in self._omit}
        own = {"temperature": s.temperature, "max_tokens": s.max_tokens}
        found |= {name: value for name, value in own.items() if value is not None}
        if s.seed is not None:
            found["seed"] = s.seed + call.repeat
        if "max_completion_tokens" in s.extra_body:
            found.pop("max_tokens", None)
        return found | s.extra_body

    async def __aenter__(self) -> "EndpointJudge":
        import openai

        self._key = read_key(self._settings.api_key_env, self._called)
        # No bound here: the executor's is the only one, and waiting for a connection would count
        # as waiting for the server.
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=None, max_keepalive_connections=None
        )
        # Address and key are always given: a client left to itself would take them from OPENAI_*
        # variables, and could send that key to another server.
        client = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._settings.url,
            timeout=self._settings.timeout,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=limits,
                # A redirect would be one more request that no budget knows of, and would carry
                # the questions to a server that nobody named.
                follow_redirects=False,
                headers={"Accept-Encoding": "identity"},  # what is bounded is what comes out
                event_hooks={"response": [bound_body]},
            ),
        )
        client.organization = client.project = None
        client._custom_headers = {}  # OPENAI_CUSTOM_HEADERS, for which there is no other switch
        self._open.enter_context(hidden_in_logs(self._key))
        self._client = client
        return self

    async def __aexit__(self, *error: object) -> None:
        client, self._client, self._key = self._client, None, None
        self._open.close()
        if client is not None:
            await client.close()

    async def answer(self, call: Call, attempt: int) -> Reply:
        """The reply to one call.

        A failure of network or server (no connection, timeout, 408, 409, 425, 429, 5xx, a body
        that is no chat completion) is tried again after a wait that doubles, with jitter, or that
        the server's Retry-After names. Where the key came back in a reply, it is blotted out.

        Raises:
            JudgeRefusal: the server calls this request wrong.
            JudgeFailure: it fails more often than the settings allow.
            JudgeDown: it refuses the key, does not know the model, sends elsewhere, or cannot be
                reached.
            BudgetUsedUp: of the executor's budget, before a repetition.
        """
        import openai

        request = self._request(call, attempt)
        meter, last = current_meter(), self._settings.retries
        reached = True
        for number in range(last + 1):
            await meter.begin()
            wait, reached = None, True
            try:
                async with asyncio.timeout(self._settings.timeout):
                    body = await self._send(request)
                return self._hidden(read_reply(body))
            except (TimeoutError, openai.APITimeoutError):
                why = f"no reply within {self._settings.timeout:g} s"
                meter.failed("timeout", billed=True)
            except openai.APIConnectionError as error:
                reached = not _never_connected(error)
                why = f"no connection ({error.__cause__ or error})"
                kind = "broken connection" if reached else "no connection"
                meter.failed(kind, billed=True, sent=reached)
            except openai.APIStatusError as error:
                why = f"status {error.status_code}: {error.message}"
                meter.failed(f"status {error.status_code}", billed=False)
                self._refuse(error, why)
                wait = retry_after(error.response.headers.get("retry-after"))
            except NoCompletion as error:
                why = str(error)
                meter.failed("unreadable body", billed=True)
            if number < last:
                await sleep(self._wait(number, wait, why))
        failure = JudgeFailure if reached else JudgeDown
        raise failure(self._message(f"failed {last + 1} times", why)) from None

    def _request(self, call: Call, attempt: int) -> dict[str, Any]:
        found: dict[str, Any] = {"model": self._settings.model}
        found["messages"] = [
            {"role": turn.role, "content": storable(turn.content)} for turn in call.messages
        ]
        found |= self.parameters(call)
        if isinstance(found.get("seed"), int):
            # Another one each time: a seeded server would repeat its invalid reply for ever.
            found["seed"] += _STRIDE * attempt
        return found

    async def _send(self, request: dict[str, Any]) -> str:
        assert self._client is not None, "used as a context manager"
        # In extra_body, because the client walks the types of everything else: a third of its
        # time, for texts that need no conversion.
        raw = await self._client.chat.completions.with_raw_response.create(
            model=self._settings.model, messages=[], extra_body=request
        )
        return hide(require_bounded(str(raw.http_response.text)), self._key)

    def _hidden(self, reply: Reply) -> Reply:
        """The reply without the key, which may have come in escapes that JSON has undone."""
        first = reply.first_token
        if first is not None:
            first = tuple((hide(token, self._key), value) for token, value in first)
        return replace(reply, text=hide(reply.text, self._key), first_token=first)

    def _refuse(self, error: "openai.APIStatusError", why: str) -> None:
        """Raise where the same request would be refused again."""
        status = error.status_code
        if 300 <= status < 400:
            where = error.response.headers.get("location", "an address that it does not say")
            told = f"status {status}, to {where}; if that is the right server, set url to it"
            raise JudgeDown(self._message("sends elsewhere", told)) from None
        broke = status == 429 and error.code == "insufficient_quota"
        if status in _FOR_ALL or broke:
            raise JudgeDown(self._message("refuses the request", why)) from None
        if status < 500 and status not in _PASSING:
            raise JudgeRefusal(self._message("refuses the request", why)) from None

    def _wait(self, number: int, asked: float | None, why: str) -> float:
        """Seconds until the next attempt; jitter keeps many askers from coming back together."""
        longest = self._settings.max_wait
        if asked is None:
            wait = min(longest, self._settings.first_wait * 2.0**number)
            return wait * random.uniform(0.5, 1.0)
        if asked > longest:
            raise JudgeFailure(
                self._message(
                    f"asks to wait {asked:g} s, longer than max_wait ({longest:g} s)", why
                )
            ) from None
        return asked * random.uniform(1.0, 1.1)

    def _message(self, what: str, why: str) -> str:
        shown = " ".join(hide(why, self._key).split())
        return f"judge '{self._settings.model}' at {self._settings.url} {what}: {shown[:300]}"


def _never_connected(error: Exception) -> bool:
    """Whether a connection error came before anything was sent; by name, of whatever client."""
    cause = error.__cause__
    return cause is not None and type(cause).__name__ in ("ConnectError", "ProxyError")
