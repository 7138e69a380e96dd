import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data import contents
from evaluation.data.contents import content_sha256, content_size, spellings
from mnpo.errors import UserError


@given(st.binary(max_size=5000), st.integers(0, 9))
def test_zipped_or_not_is_the_same_content(tmp_path_factory, data, level):
    folder = tmp_path_factory.mktemp("c")
    plain, zipped = folder / "a", folder / "b.gz"
    plain.write_bytes(data)
    zipped.write_bytes(gzip.compress(data, level))
    if not data.startswith(b"\x1f\x8b"):
        assert content_sha256(plain) == hashlib.sha256(data).hexdigest()
        assert content_size(plain) == len(data)
    assert content_sha256(zipped) == hashlib.sha256(data).hexdigest()
    assert content_size(zipped) == len(data)


def test_a_cut_gzip_file(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"words " * 1000)[:-9])
    with pytest.raises(UserError, match="no whole gzip file"):
        content_sha256(path)


def test_a_bomb_is_not_unzipped_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "LARGEST", 1 << 20)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(1 << 24)))
    with pytest.raises(UserError, match="more than"):
        content_sha256(path)


def test_spellings():
    assert spellings("a/b.jsonl") == ("a/b.jsonl", "a/b.jsonl.gz")
    assert spellings("a/b.jsonl.gz") == ("a/b.jsonl.gz", "a/b.jsonl")
