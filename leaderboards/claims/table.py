"""Claims and verdicts as a table of a board, as Markdown, and as a page."""

import re
from collections.abc import Sequence

from leaderboards.board import Board, Table
from leaderboards.claims.claim import Claim, Finding
from leaderboards.claims.numbers import shown_detail, shown_number

#: A lower line inside a word, and > inside a line, start nothing.
_MARKUP = re.compile(r"[\\`*<\[\]#|]|\b_|_\b|^[>+-]")
Found = Sequence[tuple[Claim, Finding]]
TITLE = "The papers' claims, tested"
HEADER = ("Claim", "Source", "Verdict", "What is needed, or true instead", "Number", "Command")
NOTES = (
    "A claim holds if it held in every circumstance tested, holds when some of them are given, and "
    "fails if in none.",
    "Intervals are of 95 % (joint where several decide); a number without one has no chance in it.",
)


def claims_table(found: Found) -> Table:
    """One row a claim: the name and statement, equation, verdict, number, command."""
    return Table(
        title=TITLE,
        header=HEADER,
        rows=tuple(
            (
                f"{claim.name}: {claim.statement}",
                claim.source,
                str(finding.verdict),
                finding.condition or None,
                f"{finding.quantity}: {shown_number(finding.number)}",
                f"mnpo-bench verify {claim.name}",
            )
            for claim, finding in found
        ),
        notes=NOTES,
    )


def claims_board(found: Found, *, command: str = "") -> Board:
    """A board of the claims alone."""
    return Board(title=TITLE, tables=(claims_table(found),), command=command)


def claims_markdown(found: Found, *, command: str = "") -> str:
    """The text of claims.md: the table, then every claim with its test and all its numbers."""
    lines = [f"# {TITLE}", ""]
    if command:
        lines += [f"Written by `{_code(command)}`.", ""]
    table = claims_table(found)
    lines += ["| " + " | ".join(table.header) + " |", "| --- " * len(table.header) + "|"]
    for row, (_, finding) in zip(table.rows, found, strict=True):
        cells = ["–" if cell is None else _text(str(cell)) for cell in row]
        cells[-2:] = [_number(finding), f"`{row[-1]}`"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *table.notes]
    for claim, finding in found:
        lines += ["", *_section(claim, finding)]
    return "\n".join(lines) + "\n"


def _section(claim: Claim, finding: Finding) -> list[str]:
    verdict = f"**{finding.verdict}**"
    if finding.condition:
        verdict += f": {_text(finding.condition)}"
    lines = [
        f"## {claim.name}",
        "",
        _text(claim.statement),
        "",
        f"- Source: {_text(claim.source)}",
        f"- Test: {_text(claim.test)}",
        f"- Verdict: {verdict}",
        f"- {_number(finding)}",
    ]
    for name, value in finding.details.items():
        told = "–" if value is None else shown_detail(value) or _text(str(value))
        lines.append(f"  - {_text(name)}: {told}")
    lines += ["", "```bash", f"mnpo-bench verify {claim.name} --output runs/{claim.name}"]
    lines += [f"mnpo-bench {command}" for command in claim.commands]
    return [*lines, "```"]


def _number(finding: Finding) -> str:
    return f"{_text(finding.quantity)}: {shown_number(finding.number)}"


def _text(text: str) -> str:
    """Plain text in Markdown: what would start markup there is escaped."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")
