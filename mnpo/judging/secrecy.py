"""A key that is used and never shown: not in settings, messages, logs or stored texts."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from mnpo.errors import InvalidSetting

#: Loggers of the HTTP client, which at level DEBUG write down what a server sends.
_LOGGERS = (
    "openai",
    "openai._base_client",
    "openai._response",
    "openai._legacy_response",
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
)
#: Keys of a configuration or request that carry secrets.
_SECRET = re.compile(
    r"api[-_ ]?key|authorization|password|secret|(access|auth|bearer)[-_]?token|(^|[-_])token$",
    re.IGNORECASE,
)
SHOWN = "[key]"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Names as people write them. Others that are not set may be keys, and are not repeated.
_PLAIN_VARIABLE = re.compile(r"[A-Z]+|(?=.*_)[A-Z_][A-Z0-9_]*")
_NO_VARIABLE = (
    "names no variable of the environment; put the key into a variable and give that one's name"
)
#: A shorter one ("none", "EMPTY") is no secret, and taking it out would maim innocent words.
_SHORTEST = 8


def read_key(variable: str | None, called: str) -> str | None:
    """The key from the environment, None where no variable is named.

    Args:
        variable: its name.
        called: how messages call the setting that names it.

    Raises:
        InvalidSetting: the variable is not set; a name that may be a key itself is not repeated.
    """
    if variable is None:
        return None
    if variable not in os.environ and not _PLAIN_VARIABLE.fullmatch(variable):
        raise InvalidSetting(f"{called} {_NO_VARIABLE}")
    if not os.environ.get(variable, "").strip():
        raise InvalidSetting(f"{called}: the environment variable {variable} is not set")
    return os.environ[variable].strip()


def check_variable(name: Any) -> None:
    """Refuse what cannot be the name of a variable, such as a key in its place.

    Raises:
        ValueError: without what was given.
    """
    if name is not None and not (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        raise ValueError(_NO_VARIABLE)


def hide(text: str, key: str | None) -> str:
    """The text without the key, if that has at least eight characters.

    For whole texts: one that was cut in the middle of a key keeps the first half.
    """
    if key and len(key) >= _SHORTEST:
        for form in _forms(key):
            text = text.replace(form, SHOWN)
        if any(mark in text for mark in ("\\u", "\\x", "%")):
            text = _spelled(key).sub(SHOWN, text)
    return text


@lru_cache(maxsize=8)
def _spelled(key: str) -> re.Pattern[str]:
    """The key with any of its characters as numbers: u006b and x6b behind backslashes, or %6b.

    Backslashes are counted only so far, and those of the key itself are taken together, or a long
    row of them would take for ever.
    """
    letters = []
    for letter in re.findall(r"\\+|[^\\]", key):
        if letter[0] == "\\":
            letters.append(r"(?:(?i:\\{1,8}(?:u005c|x5c)|%5c){1,8}|\\{1,64})")
            continue
        units = letter.encode("utf-16-be", "surrogatepass").hex()
        numbers = "".join(rf"\\{{1,8}}u{units[at : at + 4]}" for at in range(0, len(units), 4))
        more = "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))
        ways = [r"\\{0,8}" + re.escape(letter), f"(?i:{numbers})", f"(?i:{more})"]
        if ord(letter) < 256:
            ways.append(rf"(?i:\\{{1,8}}x{ord(letter):02x})")
        letters.append(f"(?:{'|'.join(ways)})")
    return re.compile("".join(letters))


@lru_cache(maxsize=8)
def _forms(key: str) -> tuple[str, ...]:
    """How the key looks in JSON, in Python's quotes, and in one of them inside the other."""
    as_json = json.dumps(key)[1:-1]
    once = {key, as_json, as_json.replace("/", "\\/"), repr(key)[1:-1]}
    twice = {repr(form)[1:-1] for form in once}
    return tuple(sorted(once | twice, key=len, reverse=True))


def refuse_key_in_url(url: str) -> None:
    """Refuse the address of a server that carries more than scheme, host and path.

    Raises:
        ValueError: it holds a password, or has a query or fragment, where keys are put as well.
    """
    if "@" in url.split("://", 1)[-1].split("/", 1)[0]:
        raise ValueError("holds a password; put the key into a variable and name it in api_key_env")
    if "?" in url or "#" in url:
        raise ValueError(
            "must end with its path, without ? or #, since it is written down; put a key into a "
            "variable and name it in api_key_env"
        )


def refuse_keys_in(values: Any) -> None:
    """Refuse settings with a key that carries a secret, however deep.

    Raises:
        ValueError: naming it.
    """
    found = next(_secrets(values), None)
    if found is not None:
        raise ValueError(
            f"holds '{found}', and recipes are written down; put the key into a variable and name "
            "it in api_key_env"
        )


def _secrets(values: Any) -> Iterator[str]:
    if isinstance(values, Mapping):
        for name, value in values.items():
            if _SECRET.search(str(name)):
                yield str(name)
            yield from (f"{name}.{inner}" for inner in _secrets(value))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _secrets(value)


@contextmanager
def hidden_in_logs(key: str | None) -> Iterator[None]:
    """Keep a key out of what the HTTP client logs, although a server sends it back."""

    def clean(record: logging.LogRecord) -> bool:
        told = record.getMessage()
        shown = hide(told, key)
        if shown != told:
            record.msg, record.args = shown, ()
        return True

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(clean)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(clean)
