"""leaderboard.tex: what TeX would choke on is not there."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board
from leaderboards.render import render_latex
from leaderboards.render.latex import figure_tex
from leaderboards.render.tex_text import tex


def require_sound(text: str) -> None:
    """ASCII, braces and environments balanced, mathematics closed on each line, columns fit."""
    assert text.isascii()
    bare = re.sub(r"\\[\\{}$&#%_]", lambda m: "\\\\" if m[0] == "\\\\" else "", text)
    depth = 0
    for character in re.sub(r"(?m)^%.*$", "", bare):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    open_ones: list[str] = []
    columns = 0
    for line in bare.splitlines():
        if line.startswith("%"):
            continue
        assert line.count("$") % 2 == 0, line
        assert "%" not in line, line
        for begin, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", line):
            if begin == "begin":
                open_ones.append(name)
            else:
                assert open_ones.pop() == name
        if spec := re.match(r"\\begin\{(?:tabular|longtable)\}\{(\w+)\}", line):
            columns = len(spec[1])
        elif line.endswith("\\\\") and not line.startswith("\\caption"):
            assert line.count("&") == columns - 1, line
    assert not open_ones


def test_tables_are_sound(sample_board: Board) -> None:
    text = render_latex(sample_board)
    require_sound(text)
    assert text.count("\\begin{tabular}") == 6
    assert "\\usepackage" not in re.sub(r"(?m)^%.*$", "", text)


def test_all_that_may_be_best_is_bold(sample_board: Board) -> None:
    text = render_latex(sample_board)
    assert "$\\mathbf{57.1}_{[54.1, 60.2]}$" in text
    assert "$\\mathbf{56.2}_{[54.1, 58.3]}$~(1)" in text
    assert "$12.5_{[10.2, 14.8]}$" in text
    assert "$\\mathbf{1.25 \\times 10^{-7}}_" in text
    assert "(1) one seed only" in text


def test_long_tables_break_over_pages(sample_board: Board) -> None:
    section = sample_board.sections[1]
    entries = tuple(replace(section.entries[0], name=f"m{i}") for i in range(50))
    text = render_latex(replace(sample_board, sections=(replace(section, entries=entries),)))
    require_sound(text)
    assert "\\begin{longtable}{rlr}" in text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "a_b & c% #1 $x$ {y} ~ ^",
            r"a\_b \& c\% \#1 \$x\$ \{y\} \textasciitilde{} "
            r"\textasciicircum{}",
        ),
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("<b>|", r"\textless{}b\textgreater{}\textbar{}"),
        ("--x---", "-{}-x-{}-{}-"),
        ("mnpo-seed-0", "mnpo-seed-0"),
        ("Bradley–Terry", r"Bradley\textendash{}Terry"),
        ("Poincaré, Čech, Erdős", r"Poincar\'{e}, \v{C}ech, Erd\H{o}s"),
        ("τ ≤ 1", r"$\tau$ $\leq$ 1"),
        ("中", "[U+4E2D]"),
        ("\n\x1b", r"\textbackslash{}n\textbackslash{}x1b"),
        ('"', r"\char34{}"),
    ],
)
def test_escaping(text: str, written: str) -> None:
    assert tex(text) == written


@given(st.text())
def test_any_text_is_sound(text: str) -> None:
    written = tex(text)
    require_sound(f"\\begin{{tabular}}{{l}}\n{written} \\\\\n\\end{{tabular}}\n")
    assert "\n" not in written


def test_a_bracket_is_no_argument(sample_board: Board) -> None:
    table = replace(sample_board.tables[0], rows=(("[2em]", "x", 1.0, 2), ("*", "x", 1.0, 2)))
    text = render_latex(Board("t", tables=(table,)))
    assert "\n{}[2em] & x" in text
    assert "\n{}* & x" in text


@pytest.mark.parametrize(
    ("interval", "bold", "written"),
    [
        (Interval(float("nan"), None, None, 0, 0), False, "--"),
        (Interval(0.25, None, None, 1, 1), True, r"$\mathbf{0.25}$"),
        (Interval(float("inf"), None, None, 1, 1), False, r"$\infty$"),
    ],
)
def test_figures(interval: Interval, bold: bool, written: str) -> None:
    assert figure_tex(interval, bold=bold) == written
