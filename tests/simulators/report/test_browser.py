"""The page in a real browser: no error, sorts, fits a phone, follows the colour scheme."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.report import write_html

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package `chromium`)"),
]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--hide-scrollbars --enable-logging=stderr --virtual-time-budget=2000"
).split()


def opened(page: Path, tmp_path: Path, *, dark: bool = False) -> tuple[str, str]:
    """The page's elements after its scripts ran, and what they said on the console."""
    assert CHROMIUM
    profile = tmp_path / f"profile-{dark}"
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    done = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            scheme,
            "--window-size=1400,900",
            f"--user-data-dir={profile}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


@pytest.fixture(scope="module")
def page(make_content: Any, make_row: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full report whose last script measures the page and writes what it found into it."""
    gaps = {"inpo": 2e-9, "mwu": 0.5, "nash-md": np.nan, "dpo": 0.03, "sppo": 10.0}
    rows = [make_row(name, gap_last=gap) for name, gap in gaps.items()]
    content = make_content(tuple(gaps), rows=rows, labels=("rock", "paper", "scissors"))
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(content, path)
    return path


def measured(
    page: Path, script: str, tmp_path: Path, *, width: int = 1280, dark: bool = False
) -> str:
    """The value of a script within the page, shown ``width`` wide.

    In a frame: Chromium's own window is never narrower than 500.
    """
    code = f"<script>parent.postMessage(String({script}), '*');</script></body>"
    (tmp_path / "page.html").write_text(page.read_text().replace("</body>", code))
    frame = tmp_path / "frame.html"
    frame.write_text(
        "<body><script>addEventListener('message', (event) => {"
        " document.body.dataset.found = event.data; });</script>"
        f"<iframe src='page.html' style='width: {width}px; height: 900px; border: 0'></iframe>"
    )
    elements, console = opened(frame, tmp_path, dark=dark)
    assert console == ""
    found = re.search(r'data-found="([^"]*)"', elements)
    assert found
    return found[1]


def test_it_opens_without_an_error(page: Path, tmp_path: Path) -> None:
    elements, console = opened(page, tmp_path)
    assert console == ""
    assert elements.count("<svg") >= 9
    assert "How a verdict is reached" in elements


def test_an_error_would_be_seen(tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text("<script>absent.name()</script>")
    _, console = opened(broken, tmp_path)
    assert "absent is not defined" in console


def test_headings_sort_numbers_as_numbers_and_missing_ones_last(page: Path, tmp_path: Path) -> None:
    script = """(() => {
      const heads = [...document.querySelectorAll("table.sortable thead th")];
      const head = heads.find((one) => one.textContent === "gap");
      const names = () => [...document.querySelectorAll("table.sortable tbody th")]
        .map((one) => one.textContent).join(" ");
      head.querySelector("button").click();
      const rising = names();
      head.querySelector("button").click();
      return rising + " / " + names() + " / " + head.getAttribute("aria-sort");
    })()"""
    assert measured(page, script, tmp_path) == (
        "inpo dpo mwu sppo nash-md / sppo mwu dpo inpo nash-md / descending"
    )


@pytest.mark.parametrize("width", [400, 1280])
def test_it_never_scrolls_sideways(page: Path, tmp_path: Path, width: int) -> None:
    script = """(() => {
      const wide = [...document.querySelectorAll("body *")].filter((one) =>
        one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll > *, svg *"));
      const root = document.documentElement;
      const names = wide.map((one) => `${one.tagName}.${one.className}`);
      return [innerWidth, root.scrollWidth - root.clientWidth, ...names].join(" ");
    })()"""
    assert measured(page, script, tmp_path, width=width) == f"{width} 0"


def test_it_follows_the_colour_scheme(page: Path, tmp_path: Path) -> None:
    script = """["body", ".plot text"].map((name) => {
      const style = getComputedStyle(document.querySelector(name));
      return name === "body" ? style.backgroundColor : style.fill;
    }).join(" ")"""
    assert measured(page, script, tmp_path) != measured(page, script, tmp_path, dark=True)
