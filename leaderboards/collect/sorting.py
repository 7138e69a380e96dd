"""The order of a section's rows."""

from collections.abc import Sequence
from dataclasses import replace

from leaderboards.board import Column, Entry, Section
from leaderboards.matching import is_of
from mnpo.errors import InvalidSetting, suggest


def whole_keys(sections: Sequence[Section], names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, as `leaderboards.render.select` reads them.

    A key may be given without what follows its first ``:``, ``@`` or ``#``, or one of the later
    ones: it takes every column that it begins.
    """
    columns = [column for section in sections for column in section.columns]
    found: dict[str, None] = {}
    for name in names:
        known = any(name in (own.key, own.metric) or is_of(own.benchmark, name) for own in columns)
        begun = [own.key for own in columns if not known and _begins(own.key, name)]
        found |= dict.fromkeys(begun or [name])
    return tuple(found)


def _begins(key: str, name: str) -> bool:
    return key.startswith(name) and key[len(name) :][:1] in (":", "@", "#")


def sort_sections(
    sections: Sequence[Section], sort: str | None, columns: Sequence[str] = ()
) -> tuple[Section, ...]:
    """Sorted by a column, its best first; figures that are not there last, then by name.

    Args:
        sections: as collected.
        sort: a column's key, or a metric or benchmark (of which the first column is meant); None
            takes the first column shown. Sections without it are sorted by their own first.
        columns: that are shown, where not the headlines are.

    Raises:
        InvalidSetting: no section has the column; with the nearest known.
    """
    if sort is not None and not any(_find(own, sort) for own in sections):
        known = {c.key for own in sections for c in own.columns}
        known |= {c.metric for own in sections for c in own.columns}
        raise InvalidSetting(f"--sort: no column '{sort}'{suggest(sort, known)}")
    return tuple(_sorted(own, sort, columns) for own in sections)


def _sorted(section: Section, sort: str | None, columns: Sequence[str]) -> Section:
    column = _find(section, sort) if sort is not None else None
    if column is None:
        named = [found for name in columns if (found := _find(section, name))]
        ranked = [own for own in section.columns if own.headline and own.better != "neither"]
        column = next(iter([*named, *ranked]), None)
    if column is None:
        entries = sorted(section.entries, key=lambda own: own.name)
        return replace(section, entries=tuple(entries), sorted_by="name")
    key, sign = column.key, 1 if column.better == "lower" else -1

    def place(own: Entry) -> tuple[bool, float, str]:
        figure = own.figures.get(key)
        return (figure is None, 0.0 if figure is None else sign * figure.interval.value, own.name)

    return replace(section, entries=tuple(sorted(section.entries, key=place)), sorted_by=key)


def _find(section: Section, name: str) -> Column | None:
    """By key, then by metric, then by benchmark."""
    for own in section.columns:
        if own.key == name:
            return own
    for own in section.columns:
        if name in (own.metric, f"{own.benchmark}/{own.metric}") or _begins(own.key, name):
            return own
    return next((own for own in section.columns if is_of(own.benchmark, name)), None)
