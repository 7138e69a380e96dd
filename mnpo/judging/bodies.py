"""A bound on what a server may send, so that one reply fills neither memory nor disk."""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from mnpo.judging.replies import NoCompletion

#: Bytes of a body. A reply of 32,000 tokens takes about an eighth of it.
MOST_BODY = 1 << 20


async def bound_body(response: Any) -> None:
    """Hook of an HTTP client (httpx or its successor): reading too long a body fails.

    Raises:
        NoCompletion: when the body is read, or now where the server says how long it is.
    """
    said = response.headers.get("content-length", "")
    if said.isdecimal() and len(said) < 20 and int(said) > MOST_BODY:
        raise _too_long()
    base = next(c for c in type(response.stream).__mro__ if c.__name__ == "AsyncByteStream")
    response.stream = _bounded(base)(response.stream)


def require_bounded(text: str) -> str:
    """The text of a body that may have been packed.

    Raises:
        NoCompletion: it is too long.
    """
    if len(text) > MOST_BODY:
        raise _too_long()
    return text


def _too_long() -> NoCompletion:
    return NoCompletion(f"the body is longer than {MOST_BODY:,} bytes")


@lru_cache
def _bounded(base: type) -> Any:
    """A stream of the client's own kind: it takes no other."""

    class Bounded(base):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MOST_BODY
            async for part in self._inner:
                left -= len(part)
                if left < 0:
                    raise _too_long()
                yield part

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Bounded
