"""Names of models and judges as names of files and folders."""

import hashlib
import re

_LONGEST = 80
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def folder_name(name: str) -> str:
    """A name that cannot leave its folder, hide in it, or collide with another one.

    A plain name stays as it is; any other has its unusual characters replaced and a hash of the
    whole added.
    """
    if _PLAIN.fullmatch(name) and len(name) <= _LONGEST:
        return name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:_LONGEST]
    return f"{plain or 'unnamed'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
