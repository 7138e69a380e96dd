"""``report.md``: the report without its pictures, for terminals, notes and pull requests."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mnpo.runs import write_atomically
from simulators.report.best import RULE
from simulators.report.content import ReportContent
from simulators.report.facts import MAX_GAMES, GameCard, game_card
from simulators.report.findings import findings
from simulators.report.formats import flat_settings
from simulators.report.rule import blocks
from simulators.report.table import ResultTable, Row, result_table
from simulators.report.tallies import tally

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$])")


def write_markdown(content: ReportContent, path: str | Path) -> None:
    """Write the report; it appears under its name only when it is whole.

    Args:
        content: of the report.
        path: of the file.

    Raises:
        OSError: when it cannot be written.
    """
    write_atomically(Path(path), render_markdown(content))


def render_markdown(content: ReportContent) -> str:
    """The report as GitHub-flavoured Markdown."""
    results = result_table(content)
    parts = [f"# {plain(content.title)}"]
    parts += [f"> **Note:** {plain(warning)}" for warning in content.warnings]
    parts.append(_findings(content))
    parts.append("## Results\n\n" + _results(results))
    counted = tally(content)
    if counted is not None:
        rows = [(name, *map(str, counts)) for name, counts in counted.counts]
        parts.append("## Verdicts\n\n" + _table(("algorithm", *counted.verdicts), rows, "l"))
    word = "Game" if len(content.games) == 1 else "Games"
    cards = [_game(game_card(game)) for game in content.games[:MAX_GAMES]]
    if len(content.games) > MAX_GAMES:
        cards.append(f"… and {len(content.games) - MAX_GAMES} more games.")
    parts.append("\n\n".join([f"## {word}", *cards]))
    if content.verdict_rule:
        parts.append("## Verdict rule\n\n" + _rule(content.verdict_rule))
    parts.append("## Reproduce\n\n" + _code(content.command))
    parts.append(_table(("setting", "value"), flat_settings(content.settings), "ll"))
    if content.versions:
        parts.append(_table(("package", "version"), list(content.versions.items()), "ll"))
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def _findings(content: ReportContent) -> str:
    lines = []
    for verdict, who in findings(content):
        lines.append(f"- **{plain(verdict)}**: {plain(who)}" if verdict else f"- {plain(who)}")
    return "\n".join(lines)


def _results(results: ResultTable) -> str:
    align = "".join("l" if c.kind in ("setting", "verdict") else "r" for c in results.columns)
    headings = [plain(column.title) for column in results.columns]

    def table(rows: Sequence[Row]) -> str:
        cells = (
            tuple(f"**{plain(c.text)}**" if c.strong else plain(c.text) for c in row.cells)
            for row in rows
        )
        return _table(headings, cells, align, escape=False)

    said = []
    if results.best:
        said += ["### Best settings", table(results.best), RULE, "### Settings"]
    said.append(table(results.rows))
    if results.common:
        pairs = ", ".join(f"{plain(name)} {plain(value)}" for name, value in results.common)
        said.append(f"The same in every row, where it is read: {pairs}.")
    said.append("Bold: the gap of the game that the method plays, which its verdict is about.")
    if results.seeds > 1:
        said.append("Mean ± standard error over the seeds.")
    if results.selection:
        said.append(f"{results.selection}; all are in `summary.csv`.")
    said += [f"- {plain(note)}" for note in results.notes]
    metrics = [column for column in results.columns if column.kind in ("metric", "cost")]
    said.append("\n".join(f"- *{plain(c.title)}*: {plain(c.about)}" for c in metrics))
    return "\n\n".join(said)


def _game(card: GameCard) -> str:
    parts = [f"### {plain(card.name)}"]
    if card.description:
        parts.append(plain(card.description))
    parts.append("\n".join(f"- {plain(name)}: {plain(value)}" for name, value in card.facts))
    if card.policies:
        parts.append(_table(card.headings, card.policies, "l" + "r" * (len(card.headings) - 1)))
    if card.hidden:
        parts.append(f"… and {card.hidden} more actions.")
    if card.matrix:
        rows = [
            (label, *(cell.text for cell in row))
            for label, row in zip(card.labels, card.matrix, strict=True)
        ]
        parts.append("Win probabilities, row beats column:")
        parts.append(_table(("", *card.labels), rows, "l" + "r" * len(card.labels)))
    return "\n\n".join(parts)


def _rule(text: str) -> str:
    written = []
    for block in blocks(text):
        items = [
            "".join(f"*{plain(t)}*" if strong else plain(t) for t, strong in item)
            for item in block.items
        ]
        if block.numbered:
            written.append("\n".join(f"{i}. {item}" for i, item in enumerate(items, start=1)))
        else:
            written.append(items[0])
    return "\n\n".join(written)


def _table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    align: str,
    *,
    escape: bool = True,
) -> str:
    """A table; ``align`` has l or r for each column, the last one holding for the rest."""
    align += align[-1] * (len(headings) - len(align))
    rules = ["---:" if side == "r" else "---" for side in align]
    lines = [list(line) for line in (headings, *rows)]
    if escape:
        lines = [[plain(cell) for cell in line] for line in lines]
    lines.insert(1, rules)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"
