"""The page in a real browser: no error, no request, sorts, fits a phone, works without scripts."""

import re
from dataclasses import replace
from pathlib import Path

import boards
import pytest
from headless import Browser

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Entry, Figure, Section, Table
from leaderboards.render.html import render_html

pytestmark = pytest.mark.browser
#: A script that a model's name might bring.
OWNED = "<img src=x onerror='globalThis.owned = 1'><script>globalThis.owned = 1</script>"
VALUES = {"ten": 10.0, "two": 2.0, "none": None, "minus": -3.0, "tiny": 1.5e-7, "nan": float("nan")}


def numbers_board() -> Board:
    """Values whose order as text is another one, and two that are missing."""
    column = Column("b/m", "Score", "b", "m")
    entries = tuple(
        Entry(name, name, name, figures={} if x is None else {"b/m": _figure(x)})
        for name, x in VALUES.items()
    )
    table = Table("Cost", ("run", "hours"), (("a", 9), ("b", None), ("c", 10.5), ("d", -1)))
    return Board("x", (Section("s", "models", (column,), entries, "name"),), tables=(table,))


def _figure(x: float) -> Figure:
    return Figure(Interval(x, None, None, 9, 9), "none")


def written(folder: Path, html: str) -> Path:
    path = folder / "leaderboard.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_opens_without_error_or_request_and_never_scrolls_sideways(
    browser: Browser, page_file: Path, width: int, dark: bool
) -> None:
    page = browser.open(page_file, width=width, dark=dark)
    page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.value("innerWidth") == width
    assert page.value("document.scrollingElement.scrollWidth") <= width
    wide = """[...document.querySelectorAll("body *")].filter((one) =>
      one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll > *, svg *")
    ).map((one) => one.outerHTML.slice(0, 99))"""
    assert page.value(wide) == []
    assert page.console == []
    assert page.requests == [page_file.as_uri()]


def test_an_error_and_a_request_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    path = written(tmp_path, "<img src='other.png'><script>absent.name()</script>")
    page = browser.open(path)
    assert any("absent is not defined" in said for said in page.console)
    assert page.requests == [path.as_uri(), (tmp_path / "other.png").as_uri()]


def test_plots_heat_map_and_whiskers_are_there(browser: Browser, page_file: Path) -> None:
    page = browser.open(page_file)
    drawn = """(name) => [...document.querySelectorAll(name)].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.width > 0 || box.height > 0;
    }).length"""
    assert page.value(f"({drawn})('#plots svg path.curve')") == 4
    assert page.value(f"({drawn})('#plots svg path.band')") == 1
    assert page.value(f"({drawn})('.heat tbody td')") == 16
    assert page.value(f"({drawn})('.figures td circle')") == 6 + 1 + 3 + 8
    assert page.value(f"({drawn})('#part-pool-1 .panels circle')") == 4 + 2
    color = "getComputedStyle(document.querySelector('.heat .h16')).backgroundColor"
    assert page.value(color) not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_headings_sort_numbers_as_numbers_and_missing_ones_last(
    browser: Browser, tmp_path: Path
) -> None:
    page = browser.open(written(tmp_path, render_html(numbers_board())))
    click = """(table, place) => {
      const head = document.querySelectorAll(`#${table} thead th`)[place];
      head.querySelector("button").click();
      const names = [...document.querySelectorAll(`#${table} tbody th`)];
      return [head.ariaSort, ...names.map((one) => one.textContent)].join(" ");
    }"""

    def clicked(table: str, place: int) -> str:
        return str(page.value(f"({click})('{table}', {place})"))

    best_first = "descending ten two tiny minus none nan"
    assert clicked("section-1", 1) == best_first
    assert clicked("section-1", 1) == "ascending minus tiny two ten none nan"
    assert clicked("section-1", 1) == best_first
    assert clicked("section-1", 0) == "ascending minus nan none ten tiny two"
    assert page.value("document.querySelectorAll('#section-1 th[aria-sort]').length") == 1
    assert clicked("table-1", 1) == "ascending d a c b"
    assert clicked("table-1", 1) == "descending c a d b"


def test_a_row_filter_and_chosen_columns(browser: Browser, tmp_path: Path) -> None:
    wide = Table("Wide", tuple("abcdefg"), (tuple(range(7)),))
    board = replace(numbers_board(), tables=(wide,))
    page = browser.open(written(tmp_path, render_html(board)))
    page.value("""(() => {
      const box = document.querySelector("input[type=search]");
      box.value = "T N";
      box.dispatchEvent(new Event("input"));
      document.querySelectorAll("[data-for=table-1] input")[1].click();
    })()""")
    shown = "[...document.querySelectorAll('{}')].filter((e) => e.checkVisibility()).length"
    assert page.value(shown.format("#section-1 tbody tr")) == 2
    assert page.value("document.querySelector('output').textContent") == "2 of 6"
    assert page.value(shown.format("#table-1 tbody td")) == 5
    assert page.value(shown.format("#table-1 thead th")) == 6


def test_texts_of_a_board_bring_nothing_to_life(browser: Browser, tmp_path: Path) -> None:
    board = boards.sample_board()
    (first, *others), (pool,), (plot, *_) = board.sections, board.pools, board.plots
    first = replace(
        first,
        title=OWNED,
        notes=(OWNED,),
        columns=tuple(replace(c, judge=OWNED, title=OWNED) for c in first.columns),
        entries=tuple(
            replace(e, name=f"{i}{OWNED}", label=OWNED) for i, e in enumerate(first.entries)
        ),
    )
    pool = replace(pool, title=OWNED, judge=OWNED, names=tuple(OWNED + n for n in pool.names))
    plot = replace(plot, title=OWNED, y_label=OWNED, caption=OWNED)
    table = Table(OWNED, (OWNED, "b"), ((OWNED, 1), (f"mnpo-bench {OWNED}", 2)), (OWNED,))
    hostile = replace(
        board,
        title=OWNED,
        notes=(OWNED,),
        command=OWNED,
        sections=(first, *others),
        pools=(pool,),
        plots=(plot,),
        tables=(table,),
    )
    path = written(tmp_path, render_html(hostile))
    page = browser.open(path)
    page.value("document.querySelectorAll('th button, .copy').forEach((one) => one.click())")
    assert page.value("typeof globalThis.owned") == "undefined"
    assert page.value("document.querySelectorAll('img').length") == 0
    assert page.value("document.querySelectorAll('script').length") == 1
    assert page.value("document.title") == OWNED
    assert page.value("document.querySelector('#section-1 tbody th').firstChild.data") == (
        f"0{OWNED} "
    )
    assert page.requests == [path.as_uri()]


def test_what_were_not_escaped_would_not_run_either(
    browser: Browser, html: str, tmp_path: Path
) -> None:
    planted = html.replace("<main>", f"<main>{OWNED}<p style='color: red'>red</p>")
    assert planted != html
    page = browser.open(written(tmp_path, planted))
    assert page.value("typeof globalThis.owned") == "undefined"
    assert page.value("getComputedStyle(document.querySelector('main p')).color") != (
        "rgb(255, 0, 0)"
    )
    assert any("Content Security Policy" in said for said in page.console)
    freed = written(tmp_path, re.sub(r"<meta http-equiv=.Content.*?>", "", planted))
    assert browser.open(freed).value("globalThis.owned") == 1


def test_without_javascript_the_tables_are_whole(browser: Browser, page_file: Path) -> None:
    page = browser.open(page_file, scripts=False)
    assert page.value("document.querySelectorAll('th button, .tools *, .copy').length") == 0
    shown = """[...document.querySelectorAll('.sortable tbody tr')].filter(
      (one) => one.checkVisibility() || one.closest('details')).length"""
    assert page.value(shown) == 4 + 4 + 3 + 4 + 2 + 1
    assert "57.1" in page.value("document.querySelector('#section-1').innerText")
    assert page.console == []


@pytest.mark.parametrize("scripts", [True, False])
def test_light_and_dark_follow_the_system_until_somebody_chooses(
    browser: Browser, page_file: Path, scripts: bool
) -> None:
    colors = """["body", ".plot text", ".figures tbody th", ".heat .h16"].map((name) => {
      const style = getComputedStyle(document.querySelector(name));
      return name === ".plot text" ? style.fill : style.backgroundColor;
    })"""
    light = browser.open(page_file, scripts=scripts)
    dark = browser.open(page_file, dark=True, scripts=scripts)
    by_day, by_night = light.value(colors), dark.value(colors)
    assert all(a != b for a, b in zip(by_day, by_night, strict=True))
    for page, choice, expected in (
        (light, "dark", by_night),
        (light, "light", by_day),
        (dark, "light", by_day),
        (dark, "auto", by_night),
    ):
        page.value(f"document.querySelector('[for=theme-{choice}]').click()")
        assert page.value(colors) == expected


def test_paper_is_white_and_shows_whole_tables(browser: Browser, page_file: Path) -> None:
    page = browser.open(page_file, dark=True)
    page.value("document.querySelector('[for=theme-dark]').click()")
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.value("getComputedStyle(document.body).color") == "rgb(28, 29, 34)"
    boxes = "[...document.querySelectorAll('.scroll')].map((e) => getComputedStyle(e).overflowX)"
    assert set(page.value(boxes)) == {"visible"}
    assert page.value("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_first_column_and_heading_stay_in_sight(browser: Browser, page_file: Path) -> None:
    page = browser.open(page_file, width=320)
    moved = """(() => {
      const table = document.querySelector("#section-1"), box = table.parentElement;
      const cell = table.querySelector("tbody th");
      box.scrollLeft = 1e6;
      const left = cell.getBoundingClientRect().left - box.getBoundingClientRect().left;
      return [box.scrollLeft, left];
    })()"""
    scrolled, left = page.value(moved)
    assert scrolled > 20
    assert 0 <= left <= 2
