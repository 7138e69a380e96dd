"""Whether a file has one row for a document."""

from collections.abc import Hashable, Sequence

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
