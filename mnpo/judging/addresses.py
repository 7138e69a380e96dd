"""The address of a server, checked before anybody is asked."""

import ipaddress
import re
from urllib.parse import urlsplit

from mnpo.judging.secrecy import refuse_key_in_url

#: Letters of a host's name once it is written in ASCII (RFC 3986, without escapes).
_HOST = re.compile(r"[a-z0-9_~.-]+", re.IGNORECASE)


def check_address(url: str) -> None:
    """Refuse what is no base address of an HTTP server, or one that may carry a key.

    Raises:
        ValueError: saying what is wrong; unprintable characters are not repeated.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    # Before it is parsed: the parser drops line breaks and tabs in silence.
    if " " in url or not url.isprintable():
        raise ValueError("holds a blank or another character that no address has")
    refuse_key_in_url(url)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if not _is_host(host):
        raise ValueError("names no host, as http://HOST:PORT/v1 does")
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("has a port that is no number from 1 to 65535")


def _is_host(host: str) -> bool:
    try:
        if ":" in host:
            ipaddress.IPv6Address(host)
            return True
        # The rules of names: no empty part, none longer than 63 characters.
        return bool(_HOST.fullmatch(host.encode("idna").decode()))
    except ValueError:
        return False
