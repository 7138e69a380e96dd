"""Efforts that no generator takes are refused before anything is written."""

from pathlib import Path

import pytest

from leaderboards.claims.claim import Effort
from leaderboards.claims.run import verify
from mnpo.errors import InvalidSetting


@pytest.mark.parametrize("seed", [2**31, 10**23])
def test_seeds_beyond_every_generators(tmp_path: Path, seed: int) -> None:
    with pytest.raises(InvalidSetting, match="--seed must be at most") as error:
        verify((), Effort(seed=seed), tmp_path / "run")
    assert len(str(error.value)) < 200
    assert not (tmp_path / "run").exists()
