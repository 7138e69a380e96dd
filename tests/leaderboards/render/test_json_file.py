"""leaderboard.json: what goes in comes out."""

import json
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import (
    Board,
    Column,
    Curve,
    Entry,
    Figure,
    LeftOut,
    Plot,
    Pool,
    Rating,
    Run,
    Section,
    Source,
    Table,
)
from leaderboards.render import load_board, render_json
from mnpo.errors import UserError


def same(a: Any, b: Any) -> bool:
    """Equal in content: NaN is NaN, and types agree."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and np.array_equal(a, b, True)
    if is_dataclass(a):
        return type(a) is type(b) and all(
            same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)
        )
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return b is None or (isinstance(b, float) and math.isnan(b))
    return type(a) is type(b) and a == b and (a != 0 or math.copysign(1, a) == math.copysign(1, b))


TEXT = st.text(max_size=8)
FLOAT = st.floats(width=64)
REAL = st.floats(allow_nan=False)
WHOLE = st.integers(-(10**20), 10**20)
INTERVALS = st.builds(
    Interval, FLOAT, st.none() | REAL, st.none() | REAL, st.integers(0, 9), st.integers(0, 9)
)
SOURCES = st.tuples(st.builds(Source, TEXT, TEXT, st.integers(0, 9)))
RANKS = st.tuples(st.integers(1, 9), st.integers(1, 9))
FIGURES = st.builds(
    Figure,
    INTERVALS,
    st.sampled_from(["none", "prompts", "seeds", "seeds and prompts", "games"]),
    st.integers(0, 9),
    st.none() | REAL,
    st.none() | RANKS,
    TEXT,
    st.tuples(TEXT),
    SOURCES,
)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
COLUMNS = st.builds(
    Column,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(["higher", "lower", "neither"]),
    st.booleans(),
    st.dictionaries(TEXT, TEXT, max_size=2),
    TEXT,
)
ENTRIES = st.builds(
    Entry,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.none() | st.integers(0, 9),
    st.lists(st.integers(0, 9), max_size=2).map(tuple),
    st.dictionaries(TEXT, FIGURES, max_size=2),
)
SECTIONS = st.builds(
    Section,
    TEXT,
    st.sampled_from(["models", "simulator", "published"]),
    st.lists(COLUMNS, max_size=2).map(tuple),
    st.lists(ENTRIES, max_size=2).map(tuple),
    TEXT,
    TEXTS,
)
RATINGS = st.builds(
    Rating,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.just("lower"),
    st.tuples(INTERVALS, INTERVALS),
    st.just(()) | st.tuples(RANKS, RANKS),
    st.just(()) | st.tuples(TEXT, TEXT),
)


def arrays(*shape: int) -> st.SearchStrategy[Any]:
    size = math.prod(shape)
    return st.lists(FLOAT, min_size=size, max_size=size).map(lambda x: np.array(x).reshape(shape))


POOLS = st.builds(
    Pool,
    TEXT,
    TEXT,
    TEXT,
    st.tuples(TEXT, TEXT),
    arrays(2, 2),
    arrays(2, 2),
    arrays(2, 2),
    st.lists(RATINGS, max_size=2).map(tuple),
    st.none() | INTERVALS,
    st.none() | st.booleans(),
)
CURVES = st.builds(Curve, TEXT, arrays(3), arrays(3), st.none() | arrays(3), st.none() | arrays(3))
PLOTS = st.builds(
    Plot, TEXT, TEXT, TEXT, st.lists(CURVES, max_size=2).map(tuple), st.booleans(), TEXT, SOURCES
)
CELLS = st.none() | TEXT | WHOLE | REAL
TABLES = st.builds(
    Table,
    TEXT,
    st.tuples(TEXT, TEXT),
    st.lists(st.tuples(CELLS, CELLS), max_size=2).map(tuple),
    TEXTS,
    SOURCES,
)
FACTS = st.dictionaries(TEXT, st.none() | TEXT | WHOLE | REAL | st.booleans() | st.lists(TEXT))
RUNS = st.builds(
    Run, TEXT, st.just("suite"), TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2), FACTS
)
BOARDS = st.builds(
    Board,
    TEXT,
    st.lists(SECTIONS, max_size=2).map(tuple),
    st.lists(POOLS, max_size=1).map(tuple),
    st.lists(PLOTS, max_size=1).map(tuple),
    st.lists(TABLES, max_size=2).map(tuple),
    st.lists(RUNS, max_size=1).map(tuple),
    st.lists(st.builds(LeftOut, TEXT, TEXT), max_size=1).map(tuple),
    FACTS,
    TEXT,
    TEXTS,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(board=BOARDS)
def test_reading_gives_back_what_was_written(
    board: Board, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("board") / "leaderboard.json"
    text = render_json(board)
    file.write_text(text, encoding="utf-8", newline="")
    again = load_board(file)
    assert same(board, again)
    assert render_json(again) == text


def test_the_sample_comes_back_with_half_a_character_and_whole_numbers(
    sample_board: Board, tmp_path: Any
) -> None:
    file = tmp_path / "leaderboard.json"
    board = replace(sample_board, notes=("half \ud800 of a character",))
    text = render_json(board)
    file.write_bytes(text.encode())
    again = load_board(tmp_path)
    assert again.notes == board.notes
    assert same(replace(again, notes=()), replace(board, notes=()))
    assert "NaN" not in text


def test_a_whole_number_where_a_float_belongs_is_written_as_one() -> None:
    figure = Figure(Interval(960, 1, 2, 3, 3))
    entry = Entry("a", "a", "a", figures={"k": figure})
    board = Board("t", sections=(Section("s", "models", (), (entry,), "k"),))
    assert '"value": 960.0, "low": 1.0, "high": 2.0, "n": 3' in render_json(board)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.update(format=2), "a newer version wrote it"),
        (lambda d: d.update(format="1"), "its format is '1'"),
        (lambda d: d.pop("board"), "is no leaderboard"),
        (lambda d: d["board"].pop("pools"), "board: has no pools"),
        (lambda d: d["board"].update(pool=[]), "unknown key 'pool'; did you mean 'pools'?"),
        (lambda d: d["board"].update(title=3), "board.title: expected a text, got 3"),
        (
            lambda d: d["board"]["sections"][0].update(kind="other"),
            "sections[0].kind: expected one of models, simulator, published",
        ),
        (
            lambda d: d["board"]["pools"][0].update(wins=[[1.0], [1.0, 2.0]]),
            "pools[0].wins: its rows are of different lengths",
        ),
        (lambda d: d["board"]["pools"][0].update(wins="x"), "expected a list of numbers"),
        (
            lambda d: d["board"]["sections"][0]["entries"][0].update(iteration=True),
            "iteration: expected a whole number, got True",
        ),
        (
            lambda d: d["board"]["pools"][0]["ratings"][0].update(ranks=[[1]]),
            "ranks[0]: expected a list of 2",
        ),
    ],
)
def test_a_damaged_file_is_one_line(
    sample_board: Board, tmp_path: Any, change: Any, complaint: str
) -> None:
    loaded = json.loads(render_json(sample_board))
    change(loaded)
    (tmp_path / "leaderboard.json").write_text(json.dumps(loaded))
    with pytest.raises(UserError) as error:
        load_board(tmp_path)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"NaN", b'{"format": 1}', b"[" * 100_000]
)
def test_what_is_no_board_is_refused(tmp_path: Any, content: bytes) -> None:
    (tmp_path / "leaderboard.json").write_bytes(content)
    with pytest.raises(UserError):
        load_board(tmp_path)


def test_a_folder_without_a_board_is_refused(tmp_path: Any) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_board(tmp_path)
