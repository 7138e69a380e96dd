"""``report.html``: whole, self-contained, escaped, the same every time."""

import hashlib
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_page import Page

from simulators.report import render_html, write_html

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "<img src=x onerror=alert(1)>\"'&$x$"


@pytest.fixture(scope="module", params=[2, 3, 10, "contextual"])
def content(request: pytest.FixtureRequest, make_content: Any) -> Any:
    if request.param == "contextual":
        return make_content(contextual=True)
    return make_content(size=request.param)


@pytest.fixture(scope="module")
def html(content: Any) -> str:
    return render_html(content)


def test_it_is_well_formed_and_ids_are_unique(html: str) -> None:
    page = Page(html)
    ids = list(page.values("id"))
    assert len(ids) == len(set(ids))
    assert html.count("<svg") >= 4


def test_it_needs_no_network(html: str) -> None:
    page = Page(html)
    for name in ("src", "href", "action", "data", "poster", "srcset"):
        assert all(value.startswith(("#", "data:")) for value in page.values(name))
    assert not re.search(r"(?i)https?:|//[a-z]|@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_references_within_pictures_lead_somewhere(html: str) -> None:
    page = Page(html)
    ids = set(page.values("id"))
    wanted = set(re.findall(r"url\(#([^)]+)\)", html)) | {
        value.removeprefix("#") for value in page.values("href") if value.startswith("#")
    }
    assert wanted <= ids


def test_colours_are_variables_with_a_light_and_a_dark_value(html: str) -> None:
    pictures = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    assert not re.search(r"#[0-9a-fA-F]{6}\b", pictures)
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    light, dark = re.findall(r":root \{ (--ink[^}]*)\}", html)
    declared = [set(re.findall(r"(--[\w-]+):", part)) for part in (light, dark)]
    assert declared[0] == declared[1]
    elsewhere = set(re.findall(r"(--[\w-]+):", html))
    assert used <= elsewhere
    assert light != dark


def test_tables_say_what_the_rows_say(html: str, content: Any) -> None:
    text = " ".join(" ".join(Page(html).text).split())
    for row in content.rows:
        assert str(row["algorithm"]) in text
        assert str(row["verdict"]) in text
    assert "1.2e-07" in text
    assert "numpy 2.4.6" in text
    assert content.command in text
    assert "How a verdict is reached" in text
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_hostile_text_is_shown_not_obeyed(make_content: Any, make_row: Any, size: int) -> None:
    labels = [HOSTILE] * size
    content = make_content(
        (HOSTILE, "inpo"),
        size,
        labels=labels,
        title=HOSTILE,
        command=HOSTILE,
        warnings=[HOSTILE],
        verdict_rule=f"{HOSTILE}\n\n1. *{HOSTILE}*",
        versions={HOSTILE: HOSTILE},
        settings={HOSTILE: HOSTILE, "sweep": {HOSTILE: [1, 2]}},
        rows=[
            make_row(HOSTILE, verdict=HOSTILE, note=HOSTILE, **{HOSTILE: 1}),
            make_row("inpo", **{HOSTILE: HOSTILE}),
        ],
    )
    told = {"name": HOSTILE, "description": HOSTILE, "parameters": {HOSTILE: HOSTILE}}
    content = replace(
        content,
        games=[replace(content.games[0], **told)],
        curves=[replace(content.curves[0], verdict=HOSTILE), content.curves[1]],
    )
    text = render_html(content)
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert [tag for tag, _ in page.tags].count("script") == 1
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
    assert HOSTILE in "".join(page.text)


def test_control_characters_in_labels_do_not_break_the_pictures(make_content: Any) -> None:
    labels = ("a\x07b", "\x00", "漢字 🎲")
    page = Page(render_html(make_content(labels=labels)))
    assert "漢字 🎲" in "".join(page.text)


def test_missing_settings_are_dashes(make_content: Any, make_row: Any) -> None:
    rows = [make_row("inpo"), make_row("inpo", step_size=0.7), make_row("dpo")]
    text = render_html(make_content(("inpo", "dpo"), rows=rows))
    rows = re.findall(r"<tr>\s*<th scope=\"row\" data-order=\"dpo\".*?</tr>", text, re.S)
    cells = re.findall(r"<td class=\"setting\"[^>]*>([^<]*)</td>", rows[0])
    assert cells == ["–"]
    assert "The same in every row, where it is read: temperature 0.1, iterations 200." in text


def test_equal_content_gives_equal_bytes(make_content: Any, tmp_path: Path) -> None:
    content = make_content(size=10)
    write_html(content, tmp_path / "a.html")
    write_html(content, tmp_path / "b.html")
    first = (tmp_path / "a.html").read_bytes()
    assert first == (tmp_path / "b.html").read_bytes()
    # in another process, with another order of sets
    (tmp_path / "content.pickle").write_bytes(pickle.dumps(content))
    code = (
        f"import sys, pickle, hashlib; sys.path.insert(0, {str(ROOT)!r})\n"
        "from simulators.report import render_html\n"
        "content = pickle.load(open('content.pickle', 'rb'))\n"
        "print(hashlib.sha256(render_html(content).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "7", "PATH": "", "HOME": str(tmp_path), "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256(first).hexdigest()


def test_ten_thousand_rows_stay_small(make_content: Any, make_row: Any) -> None:
    steps = np.geomspace(0.01, 1, 500)
    rows = [
        make_row(name, seed, step_size=float(s), gap_last=float(s) * (1 + seed))
        for name in ("inpo", "mwu")
        for s in steps
        for seed in range(10)
    ]
    settings = {"sweep": {"step_size": steps.tolist()}, "seeds": 10}
    text = render_html(make_content(rows=rows, settings=settings))
    assert len(text.encode()) < 1_000_000
    assert "200 of 1,000 rows, spread over the sweep" in text
    assert "summary.csv" in text
    assert "Drawn are 3 of 10,000 runs: each algorithm's best" in text.replace("&#39;", "'")


def test_many_games_are_not_all_told(make_content: Any, make_game_facts: Any) -> None:
    text = render_html(make_content(games=[make_game_facts() for _ in range(9)]))
    assert text.count('<article class="game">') == 4
    assert "… and 5 more games." in text


def test_large_games_show_their_leading_actions(make_content: Any, make_game_facts: Any) -> None:
    size = 40
    weights = np.arange(size) / np.arange(size).sum()
    game = replace(
        make_game_facts(),
        actions=[f"bot {i}" for i in range(size)],
        preferences=np.full((size, size), 0.5),
        nash=weights,
        regularized_equilibrium=None,
        reference=np.full(size, 1 / size),
    )
    text = render_html(make_content(("inpo",), curves=[], games=[game]))
    assert "bot 39" in text
    assert "bot 3<" not in text
    assert "… and 28 more actions." in text
    assert "Win probabilities" not in text


def test_the_writers_import_no_plotting_until_they_draw() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import simulators.report\n"
        "print({'matplotlib', 'jinja2', 'rich', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
