"""Bold figures: only where they say something."""

from evaluation.statistics import Interval
from leaderboards.board import Column, Direction, Entry, Figure, Rating, Section
from leaderboards.render.bold import bold_places, bold_policies

Given = list[tuple[float, tuple[int, int] | None]]


def bold(given: Given, better: Direction = "higher") -> list[int]:
    """Places of the bold figures, the same for a column and for a rating."""
    column = Column("a/m", "A", "a", "m", better=better)
    entries = tuple(
        Entry(f"p{i}", "x", "X", figures={"a/m": Figure(of(value), rank=rank)})
        for i, (value, rank) in enumerate(given)
    )
    names = bold_policies(Section("s", "models", (column,), entries, "a/m"), column)
    if all(rank for _, rank in given):
        ranks = tuple(rank for _, rank in given if rank)
        rating = Rating("k", "t", "", "", better, tuple(of(value) for value, _ in given), ranks)
        assert [i for i, own in enumerate(bold_places(rating)) if own] == sorted(
            int(name[1:]) for name in names
        )
    return sorted(int(name[1:]) for name in names)


def of(value: float) -> Interval:
    return Interval(value, None, None, 9, 9)


def test_what_may_be_best() -> None:
    assert bold([(3.0, (1, 2)), (2.9, (1, 2)), (1.0, (3, 3))]) == [0, 1]
    assert bold([(1.0, (1, 1)), (2.9, (2, 2))], "lower") == [0]


def test_nothing_where_nothing_can_be_told_apart() -> None:
    assert bold([(3.0, (1, 2)), (2.9, (1, 2))]) == []


def test_nothing_where_the_best_value_is_not_among_them() -> None:
    assert bold([(3.0, (2, 3)), (2.9, (1, 3)), (1.0, (3, 3))]) == []
    assert bold([(3.0, None), (2.9, (1, 1)), (1.0, (2, 2))]) == []
    nan = float("nan")
    assert bold([(nan, None), (2.9, (1, 1)), (1.0, (2, 2))]) == [1]


def test_nothing_in_columns_without_ranks_or_direction() -> None:
    assert bold([(3.0, None), (2.9, None)]) == []
    assert bold([(3.0, (1, 1)), (2.9, (2, 2))], "neither") == []
    assert bold([]) == []
