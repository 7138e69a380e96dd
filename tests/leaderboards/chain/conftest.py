"""One small chain for all tests of the folder."""

import shutil
from pathlib import Path

import pytest
from small_chain import small_chain

from leaderboards.chain.run import run_chain
from mnpo.cli.judging import judge_policies
from mnpo.training.runs.run import run_recipe


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training as an older version would have finished it: no chain, no evaluation section."""
    folder = tmp_path_factory.mktemp("chain") / "trained"
    recipe = small_chain().model_copy(update={"evaluation": None})
    run_recipe(recipe, folder, evaluate=judge_policies)
    return folder


@pytest.fixture(scope="session")
def whole(trained: Path) -> Path:
    folder = trained.with_name("whole")
    shutil.copytree(trained, folder)
    run_chain(small_chain(), folder, evaluate=judge_policies)
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "whole")
    return tmp_path / "whole"
