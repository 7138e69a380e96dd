"""leaderboard.tex: what TeX would choke on is not there."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board, Table
from leaderboards.render import render_latex
from leaderboards.render.rounding import Places
from leaderboards.render.tex_cells import figure_tex
from leaderboards.render.tex_table import parts, stacked
from leaderboards.render.tex_text import tex


def require_sound(text: str) -> None:
    """ASCII, braces and environments balanced, mathematics closed on each line, columns fit.

    No superscript follows another, which TeX refuses.
    """
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
        if spec := re.match(r"\\begin\{(?:tabular|longtable)\}\{(.+)\}$", line):
            columns = len(re.sub(r"p\{[^}]*\}", "p", spec[1]))
        elif line.endswith("\\\\") and not line.startswith("\\caption"):
            spans = sum(int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line))
            assert line.count("&") + spans == columns - 1, line
        for formula in re.findall(r"\$(.*?)\$", line):
            assert top_level(formula).count("^") <= 1, formula
            assert top_level(formula).count("_") <= 1, formula
    assert not open_ones


def top_level(formula: str) -> str:
    """What stands in no braces."""
    while (inner := re.sub(r"\{[^{}]*\}", "", formula)) != formula:
        formula = inner
    return formula


def test_tables_are_sound(sample_board: Board) -> None:
    text = render_latex(sample_board)
    require_sound(text)
    assert text.count("\\begin{tabular}") == 6
    assert "\\usepackage" not in re.sub(r"(?m)^%.*$", "", text)


def test_all_that_may_be_best_is_bold(sample_board: Board) -> None:
    text = render_latex(sample_board)
    assert "$\\mathbf{57.1}^{\\mathrm{a}}_{[54.1, 60.2]}$" in text
    assert "$\\mathbf{56.2}^{\\mathrm{a},(1)}_{[54.1, 58.3]}$" in text
    assert "$12.5^{\\mathrm{b}}_{[10.2, 14.8]}$" in text
    assert "$\\mathbf{1.25 \\times 10^{-7}}^{\\mathrm{a}}_" in text
    assert "$0.33^{\\mathrm{a}}_{[0.30, 0.40]}$" in text  # nobody differs: nothing is bold
    assert "(1) one seed only" in text
    assert "(2) nothing judged. " not in text.partition("(1) one")[0]


def test_notes_say_what_the_table_has(sample_board: Board) -> None:
    blocks = re.findall(r"(?s)\\begin\{table\}.*?\\end\{table\}", render_latex(sample_board))
    assert len(blocks) == 6
    for block in blocks:
        assert ("Bold: " in block) == ("\\mathbf" in block)
        assert ("Subscripts: " in block) == ("_{[" in block)
        assert ("Superscript letters: " in block) == ("^{\\mathrm" in block)
    assert "LC: unit \\%, judge rule:nearest-50-words; Mini: unit points, judge" in blocks[0]
    assert "Unit win probability. " in blocks[1]


def wide_board(sample_board: Board) -> Board:
    """Nine columns of three benchmarks; in the last two columns warnings."""
    section = sample_board.sections[0]
    first = section.columns[0]
    names = [("A", "one")] * 4 + [("A long benchmark name", "two")] * 4 + [("C", "three")]
    columns = tuple(
        replace(first, key=f"k{i}", title=f"{benchmark}: {metric} {i}", judge="j", unit="%")
        for i, (benchmark, metric) in enumerate(names)
    )
    figure = replace(section.entries[0].figures[first.key], flags=())
    entries = tuple(
        replace(
            own,
            figures={
                c.key: replace(figure, flags=(f"warned {c.key}x",) if c.key >= "k7" else ())
                for c in columns
            },
        )
        for own in section.entries
    )
    wide = replace(section, columns=columns, entries=entries, sorted_by="k0")
    return Board("t", sections=(wide,))


def test_wide_boards_are_several_tables(sample_board: Board) -> None:
    text = render_latex(wide_board(sample_board))
    require_sound(text)
    specs = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert specs == ["rl" + "r" * 4, "rl" + "r" * 5]  # benchmarks stay together
    assert re.findall(r"\\label\{([^}]*)\}", text) == ["tab:leaderboard-1", "tab:leaderboard-1-2"]
    assert "Part 1 of 2." in text
    assert "Part 2 of 2." in text
    first, second = text.split("Part 2 of 2.")
    assert "warned" not in first
    assert "(1) warned k7x (4 policies). (2) warned k8x (4 policies)." in second
    assert text.count("Unit \\%, judge j.") == 2


def test_headings_are_two_short_rows(sample_board: Board) -> None:
    lines = render_latex(wide_board(sample_board)).splitlines()
    place = lines.index("\\cmidrule(lr){3-6}\\cmidrule(lr){7-7}")
    assert lines[place - 1] == (
        " &  & \\multicolumn{4}{c}{A long benchmark name} & \\multicolumn{1}{c}{C} \\\\"
    )
    assert lines[place + 1].startswith("Rank & Policy & two 4 $\\uparrow$ & two 5 $\\uparrow$ & ")
    assert stacked("win rate against everybody") == (
        "\\shortstack{win rate \\\\ against \\\\ everybody}"
    )
    assert (
        stacked("short [a b c d e f g]", 7)
        == "\\shortstack{short \\\\ {}[a b c \\\\ d e f \\\\ g]}"
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 6))
def test_parts_hold_all_columns_and_no_more_than_fit(groups: list[int], most: int) -> None:
    sizes = parts(groups, most)
    assert sum(sizes) == sum(groups)
    assert 1 <= min(sizes) <= max(sizes) <= most
    if max(groups) <= most:  # no group is torn apart
        ends = {sum(groups[:i]) for i in range(len(groups) + 1)}
        assert {sum(sizes[:i]) for i in range(len(sizes) + 1)} <= ends


def test_pools_have_the_methods_names_in_papers(sample_board: Board) -> None:
    pool = sample_board.pools[0]
    named = replace(pool, names=("mnpo-seed-0", "mnpo-seed-1", "dpo-seed-0", "sft"))
    section = replace(
        sample_board.sections[0],
        entries=(
            *sample_board.sections[0].entries[:1],
            replace(sample_board.sections[0].entries[1], algorithm="dpo", label="Direct PO"),
        ),
    )
    text = render_latex(Board("t", sections=(section,), pools=(named,)))
    assert " & TD-MNPO (mnpo-seed-0) & " in text
    assert " & Direct PO & " in text
    assert " & sft & " in text


def test_wide_plain_tables_are_parts_with_paragraphs() -> None:
    header = ("run", "method", *(f"n{i}" for i in range(10)), "said")
    row = ("a", "b", *range(10), "long " * 30)
    text = render_latex(Board("t", tables=(Table("Cost", header, (row,) * 3, ("a note",)),)))
    require_sound(text)
    specs = re.findall(r"\\begin\{tabular\}\{(.*)\}\n", text)
    assert specs[0] == "llrrrr"
    assert all(own.startswith("ll") for own in specs)
    assert "p{" in specs[-1]
    assert text.count("a note.") == 1
    many = Table("Claims", ("claim", "verdict"), (("long " * 30, "holds"),) * 20)
    assert "\\begin{longtable}{p{" in render_latex(Board("t", tables=(many,)))


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
    assert figure_tex(interval, Places(2), bold=bold) == written
