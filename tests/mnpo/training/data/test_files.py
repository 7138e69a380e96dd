"""Datasets on disk: the same bytes, the same values, and no damage unseen."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.conversation import Message
from mnpo.errors import DamagedRun, UserError
from mnpo.training.data.files import load_groups, save_groups
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.tokens import TokenContract

CONTRACT = TokenContract("ab" * 32, "cd" * 32, (2, 7), 0)
ids = st.lists(st.integers(0, 200_000), min_size=1, max_size=5).map(tuple)
texts = st.text(max_size=12)
responses = st.builds(Response, ids, texts, st.booleans(), st.integers(0, 3))
prompts = st.builds(
    Prompt,
    st.lists(st.builds(Message, texts, texts), min_size=1, max_size=2).map(tuple),
    st.lists(texts, max_size=1).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
)
groups = st.builds(Group, prompts, ids, st.lists(responses, max_size=3).map(tuple))
datasets = st.lists(groups, max_size=3).map(lambda g: GroupDataset(CONTRACT, tuple(g)))


@pytest.fixture
def dataset():
    prompt = Prompt((Message("user", "How?\u2028\n"),), ("Well",), ("Well", "Bad"))
    answers = (Response((5, 2), "Well", True), Response((6,), "Ba", False, 1))
    return GroupDataset(CONTRACT, (Group(prompt, (1, 4), answers),) * 3)


@given(dataset=datasets)
def test_every_dataset_comes_back(dataset, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("groups") / "groups.jsonl.gz"
    save_groups(dataset, path)
    loaded = load_groups(path)
    assert loaded == dataset
    assert loaded.sha256 == dataset.sha256


def test_the_same_dataset_gives_the_same_bytes(dataset, tmp_path, monkeypatch) -> None:
    save_groups(dataset, tmp_path / "a.jsonl.gz")
    monkeypatch.setattr("time.time", lambda: 1e9)
    save_groups(dataset, tmp_path / "b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl.gz", "b.jsonl.gz"}


def test_every_truncation_and_flip_is_found(dataset, tmp_path) -> None:
    path = tmp_path / "groups.jsonl.gz"
    save_groups(dataset, path)
    content = path.read_bytes()
    for cut in range(0, len(content), 7):
        path.write_bytes(content[:cut])
        with pytest.raises(DamagedRun, match="make it again"):
            load_groups(path)
    for place in range(10, len(content), 5):  # the first ten bytes hold nothing of ours
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(DamagedRun, match="make it again"):
            load_groups(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"finished":true', '"finished":false'),
        ('"text":"Well"', '"text":"Good"'),
        ("[5,2]", "[5,7]"),
        ("[2,7]", "[2,8]"),  # of the contract
    ],
)
def test_what_is_edited_by_hand_is_found(dataset, tmp_path, old, new) -> None:
    path = tmp_path / "groups.jsonl.gz"
    save_groups(dataset, path)
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new, 1).encode()))
    with pytest.raises(DamagedRun):
        load_groups(path)


def test_another_format_and_a_missing_file(dataset, tmp_path) -> None:
    path = tmp_path / "groups.jsonl.gz"
    with pytest.raises(DamagedRun, match="cannot be read"):
        load_groups(path)
    path.write_bytes(gzip.compress(json.dumps({"format": 9}).encode()))
    with pytest.raises(UserError, match="written in format 9, this version reads 1"):
        load_groups(path)
