"""The sample board as a page, and one browser for all tests."""

from collections.abc import Iterator
from pathlib import Path

import boards
import headless
import pytest

from leaderboards.render.html import render_html


@pytest.fixture(scope="session")
def html() -> str:
    return render_html(boards.sample_board())


@pytest.fixture(scope="session")
def page_file(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "leaderboard.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[headless.Browser]:
    if headless.CHROMIUM is None:
        pytest.skip("needs Chromium (Debian package `chromium`)")
    with headless.Browser() as opened:
        yield opened
