"""Which columns are shown."""

import pytest

from leaderboards.board import Board, Column, Section
from leaderboards.options import BoardOptions
from leaderboards.render.select import (
    options_of,
    ranking_column,
    read_options,
    require_known,
    shown_columns,
)
from mnpo.errors import InvalidSetting


def column(key: str, benchmark: str, metric: str, judge: str = "", headline: bool = True) -> Column:
    return Column(key, key, benchmark, metric, judge, headline=headline)


SECTION = Section(
    "s",
    "models",
    (
        column("arena-hard-v0.1/win_rate@a", "arena-hard-v0.1", "win_rate", "a"),
        column("arena-hard-v0.1/win_rate@b", "arena-hard-v0.1", "win_rate", "b"),
        column("arena-hard-v0.1/tokens", "arena-hard-v0.1", "tokens", headline=False),
        column("alpaca-eval-2/win_rate", "alpaca-eval-2", "win_rate", headline=False),
    ),
    (),
    "name",
)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ((), (0, 1)),
        (("arena-hard-v0.1/tokens",), (2,)),
        (("win_rate",), (0, 1, 3)),
        (("win_rate@b",), (1,)),
        (("arena-hard-v0.1",), (0, 1, 2)),
        (("arena-hard",), (0, 1, 2)),
        (("alpaca-eval", "tokens", "win_rate"), (3, 2, 0, 1)),
        (("elsewhere",), ()),
    ],
)
def test_columns_by_key_metric_and_benchmark(asked: tuple[str, ...], places: tuple[int]) -> None:
    expected = tuple(SECTION.columns[place] for place in places)
    options = BoardOptions(columns=asked)
    assert shown_columns(SECTION, options) == expected
    assert shown_columns(SECTION, options.describe()) == expected


def test_without_headlines_everything_is_shown() -> None:
    section = Section("s", "models", SECTION.columns[2:], (), "name")
    assert shown_columns(section, BoardOptions()) == section.columns


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidSetting, match="'win_rat'; did you mean 'win_rate'"):
        require_known([SECTION], BoardOptions(columns=("tokens", "win_rat")))
    with pytest.raises(InvalidSetting, match=r"did you mean 'arena-hard-v0\.1/tokens'"):
        require_known([SECTION], BoardOptions(sort="arena-hard-v0.1/token"))
    with pytest.raises(InvalidSetting) as refused:
        require_known([SECTION], BoardOptions(sort="zzz"))
    line = str(refused.value)
    assert sum(line.count(f"'{own}'") for own in ("name", *(c.key for c in SECTION.columns))) == 3
    assert "on the page of a board made without --columns and --sort" in line
    require_known([SECTION], BoardOptions(columns=("arena-hard",), sort="name"))
    require_known([], BoardOptions(columns=("anything",)))


def test_options_survive_the_board(sample_board: Board) -> None:
    options = BoardOptions(columns=("a", "b"), sort="c", seed=7)
    assert read_options(options.describe()) == options
    assert options_of(sample_board) == BoardOptions()
    with pytest.raises(InvalidSetting, match="'colums'; did you mean 'columns'"):
        read_options({"colums": []})


def test_ranks_are_of_the_column_sorted_by(sample_board: Board) -> None:
    section = sample_board.sections[0]
    shown = shown_columns(section, BoardOptions(columns=("mini-v1/score",)))
    ranking = ranking_column(section, shown)
    assert ranking is not None
    assert ranking.key == section.sorted_by
    by_name = Section(
        section.title, section.kind, section.columns, section.entries, "name", section.notes
    )
    ranking = ranking_column(by_name, shown)
    assert ranking is not None
    assert ranking.key == "mini-v1/score"
    unranked = shown_columns(section, BoardOptions(columns=("mini-v1/length",)))
    assert ranking_column(by_name, unranked) is None
