"""Files that are whole or absent, and their hashes."""

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.runs import digest, sha256_file, write_atomically
from mnpo.runs.files import is_partial

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_bytes_text_and_functions_are_written(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"from ")
        file.write(b"a function")

    for content, expected in ((b"\x00\xff", b"\x00\xff"), ("τ", "τ".encode()), (write, None)):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == (expected or b"from a function")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("older", [None, b"older"])
@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, older: bytes | None, error: BaseException
) -> None:
    path = tmp_path / "file"
    if older:
        path.write_bytes(older)

    def write(file: BinaryIO) -> None:
        file.write(b"half of the new content")
        assert is_partial(next(p for p in tmp_path.iterdir() if p != path))
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([older] if older else [])


@pytest.mark.parametrize("moment", ["open", "write", "fsync", "replace"])
def test_os_errors_name_the_file_and_not_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    if moment == "open":
        path = tmp_path / "no such folder" / "file"
    elif moment != "write":
        monkeypatch.setattr(os, moment, fail)
    with pytest.raises(OSError, match=r"No s") as caught:
        write_atomically(path, fail if moment == "write" else b"")
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())


def test_files_have_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@given(json_values)
def test_digest_does_not_see_the_order_of_keys(value: object) -> None:
    def reversed_keys(item: object) -> object:
        if isinstance(item, dict):
            return {key: reversed_keys(item[key]) for key in reversed(item)}
        return [reversed_keys(part) for part in item] if isinstance(item, list) else item

    assert digest(value) == digest(reversed_keys(value))


def test_digest_tells_values_apart() -> None:
    values = [None, 0, 1, 1.5, "1", "", [], [1], [1, 2], [2, 1], {}, {"a": 1}, {"a": [1]}, False]
    assert len({digest(value) for value in values}) == len(values)
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_digest_refuses_what_json_has_no_name_for(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest(value)


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")  # the example of FIPS 180
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "file") == expected
