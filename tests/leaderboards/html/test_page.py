"""The page as text: whole, self-contained, escaped, small, the same every time."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import boards
import numpy as np
import pytest
from html_page import Page

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Curve, Entry, Figure, Plot, Section, Source
from leaderboards.options import BoardOptions
from leaderboards.paper import compare_with_papers
from leaderboards.render.html import render_html
from leaderboards.render.html.forest import FIRST
from leaderboards.render.html.heat import DEEPEST
from leaderboards.render.html.tables import FOLDED
from mnpo.errors import InvalidSetting
from simulators.report.figures.palette import INK, SURFACE, VARIABLES, style

PAYLOAD = "<img src=x onerror=alert(1)></script></style>\"'><svg onload=alert(2)>{{ 7 * 7 }}&lt;"
#: Fields whose values are words of the contract, no free text.
WORDS = {"kind", "better", "basis", "options", "letters"}


def changed(value: Any, name: str = "") -> Any:
    """The same board with the payload at the front of every text, keys included."""
    if name in WORDS:
        return value
    if isinstance(value, str):
        return value if not value or value in FIRST else PAYLOAD + value
    if isinstance(value, Mapping):
        return {changed(key): changed(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(changed(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type) and not isinstance(value, Interval):
        parts = {f.name: changed(getattr(value, f.name), f.name) for f in fields(value)}
        return replace(value, **parts)
    return value


def test_it_is_well_formed_and_ids_are_unique(html: str) -> None:
    page = Page(html)
    ids = list(page.values("id"))
    assert len(ids) == len(set(ids))
    inside = [value for value in page.values("href") if value.startswith("#")]
    assert inside
    assert {value[1:] for value in inside} | set(page.values("for")) <= set(ids)


def test_it_needs_no_network(html: str) -> None:
    page = Page(html)
    for name in ("src", "href", "action", "data", "poster", "srcset"):
        assert all(value.startswith(("#", "data:")) for value in page.values(name))
    code = "".join(re.findall(r"<(?:style|script)>(.*?)</", html, re.S))
    assert len(code) > 10_000
    assert not re.search(r"(?i)https?:|@import|url\(|fetch|XMLHttp|eval|innerHTML", code)


def test_the_policy_allows_the_pages_own_style_and_script_alone(html: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy.replace("&#43;", "+")
    assert not list(Page(html).values("style"))


def test_every_text_of_a_board_stays_text() -> None:
    plain, hostile = boards.sample_board(), changed(boards.sample_board())
    html = render_html(hostile)
    tags = [tag for tag, _ in Page(html).tags]
    assert tags == [tag for tag, _ in Page(render_html(plain)).tags]
    assert "img" not in tags
    assert not any(key.startswith("on") for _, own in Page(html).tags for key in own)
    assert PAYLOAD in "".join(Page(html).text)  # {{ 7 * 7 }} is no 49


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "\u202eevil", "\ud800", "a\r\nb"])
def test_what_is_no_visible_character_is_spelled_out(text: str) -> None:
    board = replace(boards.sample_board(), title=f"x{text}y", notes=(text,))
    html = render_html(board)
    assert text not in html
    assert html.encode()
    assert re.search(r"<h1>xa?\\", html)


def test_equal_boards_give_equal_pages(html: str) -> None:
    assert render_html(boards.sample_board()) == html


def test_an_empty_board_is_a_page() -> None:
    assert "<h1>Leaderboard</h1>" in render_html(Board(""))
    Page(render_html(Board("x", sections=(Section("none", "models", (), (), "name"),))))


def test_a_boards_options_of_another_version_are_refused() -> None:
    with pytest.raises(InvalidSetting):
        render_html(Board("x", options={"colour": "red"}))


def test_columns_that_were_not_asked_for_stand_apart() -> None:
    board = boards.sample_board()
    options = BoardOptions(columns=("mini-v1/length",)).describe()
    html = render_html(replace(board, options=options))
    first, further = html.index('id="section-1"'), html.index('id="section-1-further"')
    assert "Mini length" in html[first:further]
    assert "AlpacaEval 2 LC" in html[further:]


def test_flags_are_numbered_footnotes(html: str) -> None:
    assert "56.2<sup>1</sup>" in html
    notes = re.search(r'<ol class="footnotes">(.*?)</ol>', html, re.S)
    assert notes
    assert notes[1].split("<li>")[1].startswith("one seed only")


def test_warnings_that_are_alike_are_folded_into_one() -> None:
    board = boards.sample_board()
    section = board.sections[0]
    key = section.columns[0].key
    entries = tuple(
        replace(
            own,
            figures={key: replace(own.figures[key], flags=(f"{n + 3} of 40 alike (x{n})",))},
        )
        for n, own in enumerate(section.entries)
    )
    html = render_html(replace(board, sections=(replace(section, entries=entries),)))
    details = re.search(r'<details class="warnings">(.*?)</details>', html, re.S)
    assert details
    assert "<summary>4 warnings</summary>" in details[1]
    assert "<li>3 to 6 of 40 alike (4 policies)" in details[1]
    assert "<li><b>inpo</b> 4 of 40 alike (x1)</li>" in details[1]


def test_further_pools_of_a_run_and_what_papers_printed_are_folded() -> None:
    board = boards.sample_board()
    pool = board.pools[0]
    others = tuple(replace(pool, key=k, title=f"Annotator {k}") for k in "ab")
    elsewhere = replace(pool, key="c", title="Elsewhere", sources=(Source("another", "x"),))
    tables = compare_with_papers(board, ["mnpo"])
    board = replace(board, pools=(pool, *others, elsewhere), tables=(*board.tables, *tables))
    html = render_html(board)
    folded = re.findall(r'<details class="part">\s*<summary>(.*?)</summary>', html)
    titles = [table.title for table in tables if table.title.startswith(FOLDED)]
    assert folded == ["Annotator a", "Annotator b", *titles]
    assert titles
    assert "<h2>Elsewhere</h2>" in html
    Page(html)


def test_colours_have_a_light_and_a_dark_value(html: str) -> None:
    body = html.partition("</style>")[2]
    assert not re.search(r"#[0-9a-fA-F]{6}\b", re.sub(r"<code>.*?</code>", "", body))
    declared = [set(re.findall(r"(--[\w-]+):", p)) for p in re.findall(r"--ink:[^}]*", html)]
    assert declared[0] == declared[1] == declared[2]
    assert set(re.findall(r"var\((--[\w-]+)\)", html)) <= declared[0] | {"--shade"}


def luminance(color: np.ndarray) -> float:
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("place", [0, 1])
def test_numbers_can_be_read_on_the_deepest_shade(dark: bool, place: int) -> None:
    def rgb(light: str) -> np.ndarray:
        code = VARIABLES[light][1] if dark else light
        return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])

    shade = DEEPEST * rgb(style(place).color) + (1 - DEEPEST) * rgb(SURFACE)
    lighter, darker = sorted((luminance(shade), luminance(rgb(INK))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2, level AA


def test_five_hundred_models_in_twenty_benchmarks_are_less_than_five_megabytes() -> None:
    random = np.random.default_rng(0)
    columns = tuple(
        Column(f"b{k}/m", f"Benchmark {k}", f"b{k}", "m", "judge", "%") for k in range(20)
    )
    flags = tuple(f"flag {k}" for k in range(5))
    entries = tuple(
        Entry(
            f"organisation/model-number-{i}-instruct",
            "mnpo",
            "TD-MNPO",
            "train",
            3,
            (0, 1, 2),
            {
                c.key: Figure(
                    Interval(x, x - 1.234, x + 1.345, 805, 805),
                    "seeds and prompts",
                    3,
                    0.8,
                    (1, 7),
                    "abc",
                    flags[: i % 3],
                )
                for c, x in zip(columns, random.uniform(20, 80, 20).tolist(), strict=True)
            },
        )
        for i in range(500)
    )
    x = np.arange(1000.0)
    curves = tuple(Curve(f"c{k}", x, random.random(1000), x, x) for k in range(30))
    plots = tuple(Plot(f"plot {k}", "x", "y", curves) for k in range(40))
    section = Section("models", "models", columns, entries, columns[0].key)
    html = render_html(Board("large", (section,), plots=plots))
    assert html.count("<tr>") > 500
    assert len(html.encode()) < 5_000_000


def test_the_legend_says_what_there_is_and_no_more() -> None:
    board = boards.sample_board()
    models, simulator = board.sections
    assert render_html(board).count("Bold: may be the best") == 1
    assert "Bold: may be the best" in render_html(Board("t", pools=board.pools))
    # One column, in which nobody differs from anybody: nothing is bold.
    options = BoardOptions(columns=("mini-v1/score",)).describe()
    alike = replace(models, columns=models.columns[1:2])
    html = render_html(Board("t", (alike,), options=options))
    assert "Bold: may be" not in html
    assert "Brackets hold 95 % intervals" in html
    assert "SD: standard deviation" not in html
    assert "SD: standard deviation" in render_html(Board("t", (simulator,)))
    # A first section without a column that was asked for has no table to explain.
    options = BoardOptions(columns=("cyclic/gap",)).describe()
    assert render_html(Board("t", board.sections, options=options)).count("Bold: may be") == 1
