"""A manifest of the benchmark store that is none."""

import pytest

from evaluation.data.store import Store
from mnpo.errors import DamagedRun


@pytest.mark.parametrize("text", ["null", "[]", "5", "{", "[" * 200_000])
def test_it_is_said_in_one_line(tmp_path, text) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text(text)
    with pytest.raises(DamagedRun, match=r"is damaged .* take the files in again"):
        Store(tmp_path).manifest("mine")
