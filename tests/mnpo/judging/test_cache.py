import random
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import DiskFull, UserError
from mnpo.judging.cache import Answer, AnswerCache
from mnpo.judging.calls import Usage
from mnpo.printable import storable

JSON = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def put(make_call):
    def store(cache, key, value, reply="", usage=None, seconds=1.0):
        call = make_call(key)
        cache.put(key, Answer(value, reply, usage), call=call, judge="j", seconds=seconds)

    return store


@given(value=JSON, reply=st.text(), tokens=st.none() | st.tuples(*[st.integers(0, 10**9)] * 2))
def test_what_goes_in_comes_out(make_call, value, reply, tokens) -> None:
    usage = None if tokens is None else Usage(*tokens)
    with AnswerCache() as cache:
        cache.put("k", Answer(value, reply, usage), call=make_call(1), judge="j", seconds=0.1)
        assert cache.get("k") == Answer(value, storable(reply), usage)
        assert cache.get("other") is None


def test_nothing_is_made_before_the_first_answer(put, tmp_path) -> None:
    path = tmp_path / "a" / "answers.sqlite"
    with AnswerCache(path) as cache:
        assert cache.get("k") is None
        assert "k" not in cache
        assert (len(cache), cache.means("j")) == (0, (None, None))
        assert not path.parent.exists()
        put(cache, "k", "A")
        assert "k" in cache
    with AnswerCache(path) as again:
        assert again.get("k") == Answer("A", "")
        assert len(again) == 1


def test_the_first_answer_stays(put, tmp_path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerCache(path) as one, AnswerCache(path) as other:
        put(one, "k", "A")
        put(other, "k", "B")
        assert one.get("k").value == other.get("k").value == "A"


def test_means_are_of_that_judge(put) -> None:
    with AnswerCache() as cache:
        put(cache, "a", 1, usage=Usage(9, 10), seconds=1.0)
        put(cache, "b", 2, usage=Usage(9, 30), seconds=2.0)
        assert cache.means("j") == (20, 1.5)
        assert cache.means("other") == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        "value = '\"B\"'",
        "reply = 'verdict: B'",
        "completion_tokens = 7",
        "prompt_tokens = NULL",
        "seal = 'x'",
        "value = x'ff00'",
        "value = 3.5",
        "reply = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_damaged_row_is_warned_of_and_replaced(put, tmp_path, caplog, change) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerCache(path) as cache:
        put(cache, "k", "A", "verdict: A", Usage(1, 2))
        put(cache, "whole", "B")
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE answers SET {change} WHERE key = 'k'")
        database.commit()
    with AnswerCache(path) as cache:
        assert cache.get("k") is None
        assert cache.get("whole").value == "B"
        put(cache, "k", "tie")
        assert cache.get("k").value == "tie"
    assert "1 answer is damaged" in caplog.text


def test_damaged_rows_are_told_once_and_together(put, tmp_path, caplog) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerCache(path) as cache:
        for n in range(30):
            put(cache, f"key {n}", "A")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE answers SET reply = 'x' WHERE key != 'key 7'")
        database.commit()
    with AnswerCache(path) as cache:
        for _ in range(3):
            assert sum(f"key {n}" in cache for n in range(30)) == 1
        assert not caplog.records
        put(cache, "key 1", "B")
    (record,) = caplog.records
    assert record.getMessage() == f"{path}: 29 answers are damaged; they count as not given"
    cache.close()
    assert len(caplog.records) == 1


def test_a_damaged_file_is_one_line_or_a_missing_answer_never_another_one(put, tmp_path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerCache(path) as cache:
        for n in range(300):
            put(cache, f"key {n}", n, "reply " * 20)
    whole = path.read_bytes()
    told, lost = [], 0
    for seed in range(60):
        dice, damaged = random.Random(seed), bytearray(whole)
        for _ in range(30):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with AnswerCache(path) as cache:
            try:
                for n in range(300):
                    found = cache.get(f"key {n}")
                    lost += found is None
                    assert found in (None, Answer(n, "reply " * 20))
            except UserError as error:
                told.append(str(error))
    assert told
    assert all("\n" not in line and str(path) in line for line in told)
    assert lost > 0


def test_a_file_of_another_kind_is_refused_and_left_alone(put, tmp_path) -> None:
    text = tmp_path / "judge-answers.jsonl"
    text.write_text('{"key": "k", "answer": "A"}\n' * 100)
    with AnswerCache(text) as cache, pytest.raises(UserError, match="damaged or something else"):
        cache.get("k")
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE mine (x)")
    with AnswerCache(other) as cache, pytest.raises(UserError, match="another program's"):
        put(cache, "k", 1)
    later = tmp_path / "later.sqlite"
    with AnswerCache(later) as cache:
        put(cache, "k", 1)
    with closing(sqlite3.connect(later)) as database:
        database.execute("PRAGMA user_version = 9")
    with AnswerCache(later) as cache, pytest.raises(UserError, match="in form 9"):
        cache.get("k")


def test_a_full_disk_says_so_and_keeps_what_there_is(put, tmp_path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerCache(path) as cache:
        put(cache, "k", "A")
        cache._database.execute("PRAGMA max_page_count = 20")  # SQLite's own SQLITE_FULL
        with pytest.raises(DiskFull, match=r"disk is full.*answers\.sqlite"):
            any(put(cache, f"key {n}", "x" * 2000) for n in range(100))
        assert cache.get("k").value == "A"
    with AnswerCache(path) as cache:
        assert cache.get("k").value == "A"
        assert 1 < len(cache) < 100


def test_a_folder_that_cannot_be_written(put, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with (
        AnswerCache(tmp_path / "file" / "x.sqlite") as cache,
        pytest.raises(UserError, match="cannot be made"),
    ):
        put(cache, "k", 1)
    with AnswerCache(tmp_path) as cache, pytest.raises(UserError, match="cannot be"):
        put(cache, "k", 1)


def test_unpaired_surrogates_are_stored_as_what_they_are_not() -> None:
    assert storable("a\ud83db") == "a\ufffdb"
    assert storable("\ud83d\ude00") == "\U0001f600"
