import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import DamagedRun
from mnpo.training.seeds import seed_for
from mnpo.training.shards import is_done, read_shard, write_shard

ROWS = st.lists(
    st.lists(st.integers(0, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text())
)


@given(ROWS)
def test_rows_come_back_as_they_were(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("shards") / "shard.json"
    assert not is_done(file)
    write_shard(file, rows)
    assert is_done(file)
    assert read_shard(file) == rows


@pytest.mark.parametrize(
    "hurt",
    [
        lambda text: text[:-3],
        lambda text: text.replace("17", "18"),
        lambda text: "",
        lambda text: "[]",
        lambda text: '{"rows": [[17]]}',
        lambda text: text + "x",
    ],
)
def test_damage_is_found_and_removed(tmp_path, hurt):
    file = tmp_path / "shard.json"
    write_shard(file, [[17, 0.25]])
    file.write_text(hurt(file.read_text()))
    with pytest.raises(DamagedRun, match=r"shard\.json"):
        read_shard(file)
    assert not is_done(file)
    assert not file.exists()


def test_bytes_that_are_no_text_are_damage(tmp_path):
    file = tmp_path / "shard.json"
    file.write_bytes(b"\xff\xfe\x00")
    assert not is_done(file)


@given(st.integers(0, 99), st.lists(st.text(max_size=5) | st.integers(0, 99), max_size=3))
def test_streams_are_named(seed, names):
    found = seed_for(seed, *names)
    assert found == seed_for(seed, *names)
    assert 0 <= found < 2**63
    assert found != seed_for(seed + 1, *names)
    assert found != seed_for(seed, *names, "more")


def test_names_do_not_run_together():
    assert seed_for(0, "a", "b") != seed_for(0, "ab")
    assert seed_for(0, 1, 2) != seed_for(0, 12)
    assert seed_for(0, 1) != seed_for(0, "1")
