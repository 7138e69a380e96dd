"""Whether a file has one row for a document, and none for what is no document."""

from collections.abc import Hashable, Sequence

from evaluation.rows import Row
from mnpo.errors import UserError
from mnpo.printable import shown


def require_once(keys: Sequence[Hashable], rows: Sequence[Row], what: str) -> None:
    """Refuse a document that has two rows; which of them to take nobody can know.

    Raises:
        UserError: with both places.
    """
    seen: dict[Hashable, Row] = {}
    for key, row in zip(keys, rows, strict=True):
        if key in seen:
            raise UserError(
                f"{row.where}: {what} {shown(key, 80)} stands already in {seen[key].where}"
            )
        seen[key] = row


def require_inside(keys: Sequence[int], rows: Sequence[Row], size: int) -> None:
    """Refuse a document that the benchmark has not; documents are numbered from 0.

    Raises:
        UserError: with the row's place.
    """
    for key, row in zip(keys, rows, strict=True):
        if not 0 <= key < size:
            raise UserError(
                f"{row.where}: document {shown(key, 40)} is outside the {size} documents (from 0)"
            )
