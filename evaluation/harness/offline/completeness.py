"""Whether a file has a row for every document, once."""

from collections.abc import Hashable, Iterable, Sequence

from evaluation.rows import Row
from mnpo.errors import UserError


def require_once(keys: Sequence[Hashable], rows: Sequence[Row], what: str) -> None:
    """Refuse a document that has two rows; which of them to take nobody can know.

    Raises:
        UserError: with both places.
    """
    seen: dict[Hashable, Row] = {}
    for key, row in zip(keys, rows, strict=True):
        if key in seen:
            raise UserError(f"{row.where}: {what} {key!r:.80} stands already in {seen[key].where}")
        seen[key] = row


def require_all(missing: int, of: int, why: str, where: object, allow_missing: bool) -> None:
    """Refuse a file with gaps unless they are allowed.

    Raises:
        UserError: says how many of how many are there.
    """
    if missing and not allow_missing:
        raise UserError(
            f"{where}: {of - missing} of {of} documents can be scored ({why}); score what is there "
            "with --allow-missing"
        )


def first_few(keys: Iterable[object], most: int = 3) -> str:
    """E.g. "4, 17, 23 and 2 more"."""
    listed = [f"{key!s:.60}" for key in keys]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
