"""Other people's files: every form, and every way in which one can be broken."""

import csv
import gzip
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rows import Row, iterate_rows, read_rows
from mnpo.errors import UserError

RECORDS = [{"id": 1, "text": 'a, "b"\nc'}, {"id": 2, "text": "\u2028 line separator"}]


def texts_of(form):
    if form == "json":
        return json.dumps(RECORDS)
    if form == "jsonl":
        return "\n".join(json.dumps(r, ensure_ascii=False) for r in RECORDS) + "\n\n"
    return 'id,text\n1,"a, ""b""\nc"\n2,\u2028 line separator\n'


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_every_form_reads_the_same(tmp_path, form, zipped) -> None:
    data = texts_of(form).encode()
    path = tmp_path / (f"x.{form}" + (".gz" if zipped else ""))
    path.write_bytes(gzip.compress(data) if zipped else data)
    rows = read_rows(path)
    assert [row.text("text") for row in rows] == [r["text"] for r in RECORDS]
    assert rows[1].where == f"{path}, row 2"


def test_a_json_file_may_hold_lines(tmp_path) -> None:
    path = tmp_path / "x.json"
    path.write_text(texts_of("jsonl"))
    assert [row.values for row in read_rows(path)] == RECORDS


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.txt", b"", "must end with .json, .jsonl or .csv"),
        ("x.json", b"[{]", "is no JSON"),
        ("x.json", b"[1]", "row 1: is no JSON object"),
        ("x.jsonl", b'{"a": 1}\n{"a":', "row 2: is no JSON"),
        ("x.jsonl", b"\xff\xfe", "is not UTF-8"),
        ("x.jsonl.gz", b"plain", "no whole gzip file"),
        ("x.jsonl.gz", gzip.compress(b"{}" * 500, mtime=0)[:-9], "no whole gzip file"),
        ("x.csv", b"a,b\n1\n", "row 1: has fewer cells than the header"),
        ("x.csv", b"a,b\n1,2\n1,2,3\n", "row 2: has more cells than the header"),
        ("x.csv", b'a,b\n1,"2\n', "line"),
    ],
)
def test_a_broken_file_is_said_in_one_line(tmp_path, name, content, says) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=says) as error:
        read_rows(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_is_said(tmp_path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_rows(tmp_path / "nowhere.json")


def test_a_field_that_is_no_text_is_refused(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 3}\n')
    (row,) = read_rows(path)
    with pytest.raises(UserError, match="row 1: id must be a text, got 3"):
        row.text("id")
    with pytest.raises(UserError, match="row 1: has no name or title"):
        row.text("name", "title")


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=5))
def test_json_lines_survive_whatever_texts_hold(tmp_path_factory, records) -> None:
    path = tmp_path_factory.mktemp("rows") / "x.jsonl"
    path.write_text("".join(json.dumps(r, ensure_ascii=True) + "\n" for r in records))
    assert [row.values for row in read_rows(path)] == records


def test_a_cell_may_be_as_long_as_the_file(tmp_path) -> None:
    before = csv.field_size_limit()
    path = tmp_path / "x.csv"
    path.write_text(f"id,text\n1,{'a' * 140_000}\n2,short\n3,{'b' * 200_000}\n")
    rows = iterate_rows(path)
    assert len(next(rows).text("text")) == 140_000
    assert csv.field_size_limit() == before  # also while others read
    assert [len(row.text("text")) for row in rows] == [5, 200_000]
    path.write_text('id,text\n1,"a\n')
    with pytest.raises(UserError):
        read_rows(path)
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", "a,b,a\n1,2,3\n", "the header names 'a' twice"),
        ("x.jsonl", '{"a": 1, "a": 2}\n', "row 1: names 'a' twice"),
        ("x.json", '[{"b": {"a": 1, "a": 2}}]', "names 'a' twice"),
        ("x.jsonl", '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}\n", "row 1: is nested too deep"),
        ("x.json", "[" * 200_000 + "]" * 200_000, "is nested too deep"),
    ],
)
def test_what_would_be_lost_or_never_end_is_refused(tmp_path, name, content, says) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UserError, match=says):
        read_rows(path)


def test_halves_of_characters_are_replaced(tmp_path) -> None:
    path = tmp_path / "x.json"
    rows = r'[{"a\ud800": ["x\udfff", {"b": "\ud83d\ude00 \\ud800"}], "c": 1}, {"d": "\uD83d"}]'
    for text in (rows, rows[1:-1].replace("}, {", "}\n{")):
        path.write_text(text)
        first, second = read_rows(path)
        assert first.values == {"a\ufffd": ["x\ufffd", {"b": "\U0001f600 \\ud800"}], "c": 1}
        assert second.values == {"d": "\ufffd"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_regular_files_are_read(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    os.mkfifo(path)
    with pytest.raises(UserError, match="is no regular file"):  # and does not wait for a writer
        read_rows(path)


def test_long_values_are_cut(tmp_path) -> None:
    with pytest.raises(UserError) as error:
        Row({"a": ["x" * 5000]}, "here").text("a")
    assert len(str(error.value)) < 200
