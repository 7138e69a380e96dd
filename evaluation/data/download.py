"""One file over https: resumed where it stopped, no larger than it may be."""

import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mnpo.errors import UserError

#: Of a file whose size is not known, bytes.
LARGEST = 1 << 26
#: Seconds without a byte after which a connection counts as lost.
PATIENCE = 30.0
#: Connections for one file: the first, and what is left after it broke.
ATTEMPTS = 3


class TooLarge(UserError):
    """A file with more bytes than it may have."""


_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_BLOCK = 1 << 16


def offline_reason(environment: Mapping[str, str] | None = None) -> str:
    """Why nothing may be fetched (HF_HUB_OFFLINE, as everywhere in this project), or ""."""
    value = (os.environ if environment is None else environment).get("HF_HUB_OFFLINE", "")
    return "HF_HUB_OFFLINE is set" if value.strip().upper() in ("1", "ON", "YES", "TRUE") else ""


def download(
    url: str,
    partial: Path,
    *,
    largest: int = LARGEST,
    patience: float = PATIENCE,
    pause: Callable[[float], object] | None = None,
) -> None:
    """Bring a file to ``partial``, going on where an earlier call stopped.

    What is there is not checked: whether it is the right file, only its hash can say.

    Args:
        url: https; http only from this machine itself.
        partial: grows as bytes come, and stays when the connection breaks.
        largest: more bytes than this are refused.
        patience: seconds without a byte.
        pause: waits so many seconds between connections; None sleeps.

    Raises:
        UserError: no https, no network, the server refuses, or the file is too large.
        OSError: the disk is full or not writable.
    """
    _require_secure(url)
    opener = _opener(url)
    for attempt in range(ATTEMPTS):
        if attempt:
            (pause or time.sleep)(2.0**attempt - 1)
        try:
            if _attempt(opener, url, partial, largest, patience):
                return
            why = "the connection broke"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code != 429:
                raise UserError(
                    f"{url}: the server refuses ({error.code} {error.reason})"
                ) from None
            why = f"the server fails ({error.code} {error.reason})"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            why = _reason(error)
        except TimeoutError:
            why = f"nothing came for {patience:g} s"
    raise UserError(
        f"{url}: not in reach ({why}); try again to go on where it stopped, or bring the files "
        "with 'mnpo-bench data import DIR'"
    )


def _attempt(
    opener: urllib.request.OpenerDirector, url: str, partial: Path, largest: int, patience: float
) -> bool:
    """One connection; whether the file is whole, as far as the server says."""
    have = partial.stat().st_size if partial.is_file() else 0
    headers = {"User-Agent": "mnpo-bench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=patience)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # what is there is as long as the file, or longer
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return True
        partial.unlink()
        return False
    with response:
        goes_on = have > 0 and response.status == 206
        if goes_on and not str(response.headers.get("Content-Range")).startswith(f"bytes {have}-"):
            partial.unlink()
            return False
        size = have if goes_on else 0
        announced = response.headers.get("Content-Length")
        whole = size + int(announced) if announced and announced.isdigit() else None
        if whole is not None and whole > largest:
            raise _too_large(url, largest)
        with partial.open("ab" if goes_on else "wb") as file:
            while block := response.read1(_BLOCK):
                size += len(block)
                if size > largest:
                    raise _too_large(url, largest)
                file.write(block)
        return whole is None or size >= whole


def _too_large(url: str, largest: int) -> TooLarge:
    return TooLarge(f"{url}: is larger than the {largest:,} bytes it may have; nothing was kept")


def _require_secure(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise UserError(f"{url}: only https addresses are fetched from")


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect must not lead away from https."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        _require_secure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_SecureRedirects()]
    if urlsplit(url).hostname in _LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLError):
        return f"its certificate is not accepted: {cause.reason or cause}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__
