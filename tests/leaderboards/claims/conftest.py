"""One quick run of all claims, shared by the tests of this folder."""

from pathlib import Path

import pytest

from leaderboards.claims import Effort, Finding
from leaderboards.claims.run import verify

QUICK = Effort(seeds=4, quick=True)


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run directory of all claims at the smallest effort."""
    folder = tmp_path_factory.mktemp("claims") / "quick"
    verify([], QUICK, folder)
    return folder


@pytest.fixture(scope="session")
def quick_findings(quick_run: Path) -> dict[str, Finding]:
    """Its findings by the claim's name."""
    found = verify([], QUICK, quick_run)
    return {claim.name: finding for claim, finding in found}
