"""Win rates of every prompt, written and read."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.pool.wins_file import COLUMNS, read_wins, wins_bytes
from evaluation.winmatrix import WinMatrix
from mnpo.errors import InvalidSetting


@st.composite
def win_matrices(draw: st.DrawFn) -> np.ndarray:
    """Some pairs on some prompts are missing, but every policy met somebody everywhere."""
    prompts, size = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    wins = np.full((prompts, size, size), np.nan)
    for c in range(prompts):
        for i in range(size):
            wins[c, i, i] = 0.5
            for j in range(i):
                if (i, j) == (1, 0) or (i > 1 and j == 0) or draw(st.booleans()):
                    wins[c, i, j] = draw(st.floats(0, 1))
                    wins[c, j, i] = draw(st.floats(0, 1))
    return wins


@given(win_matrices())
def test_what_is_written_is_read(wins) -> None:
    names = tuple(f"policy {i}" for i in range(wins.shape[1]))
    prompts = [f"p{c}" for c in range(len(wins))]
    judges = {"a": WinMatrix(names, wins), "b, c": WinMatrix(names, wins[:, ::-1, ::-1])}
    content = wins_bytes(judges, prompts)
    assert content == wins_bytes(judges, prompts)
    found = read_wins(content)
    assert list(found) == ["a", "b, c"]
    for judge, own in judges.items():
        assert found[judge].prompts == tuple(prompts)
        assert found[judge].wins.names == names
        np.testing.assert_array_equal(found[judge].wins.wins, own.wins)


def table(**columns) -> bytes:
    buffer = io.BytesIO()
    own = {"prompt": ["p"], "policy": ["a"], "opponent": ["a"], "judge": ["j"], "win_rate": [0.5]}
    pq.write_table(pa.table(own | columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", "no Parquet file"),
        (b"", "no Parquet file"),
        (table(more=[1]), "columns are not"),
        (table(win_rate=[1.5]), "no probability"),
        (table(win_rate=[float("nan")]), "no probability"),
        (table(win_rate=["x"]), "other values"),
        (table(policy=[None]), "is empty"),
        (table(opponent=["b"]), "nobody's policy"),
        (
            table(
                **{name: [x, x] for name, x in zip(COLUMNS, "paaj", strict=False)},
                win_rate=[0.5, 0.5],
            ),
            "twice",
        ),
    ],
)
def test_other_files_are_refused(content, message) -> None:
    with pytest.raises(InvalidSetting, match=message):
        read_wins(content)


def test_a_policy_that_met_nobody_on_a_prompt() -> None:
    wins = np.full((2, 3, 3), 0.5)
    wins[1, 2, :] = wins[1, :, 2] = np.nan
    found = read_wins(wins_bytes({"j": WinMatrix(("a", "b", "c"), wins)}, ["p", "q"]))
    np.testing.assert_array_equal(found["j"].wins.wins, wins)


def test_prompts_need_names_of_their_own() -> None:
    wins = WinMatrix(("a", "b"), np.full((2, 2, 2), 0.5))
    with pytest.raises(InvalidSetting, match="one name"):
        wins_bytes({"j": wins}, ["p", "p"])
    with pytest.raises(InvalidSetting, match="2 prompts got 1 names"):
        wins_bytes({"j": wins}, ["p"])
