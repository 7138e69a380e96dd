"""A board as files of one folder."""

import re
from pathlib import Path

from leaderboards.board import Board
from leaderboards.render.csv_file import render_csv
from leaderboards.render.json_file import render_json
from leaderboards.render.latex import render_latex
from leaderboards.render.markdown import render_markdown
from leaderboards.render.select import options_of, require_known
from mnpo.errors import UserError
from mnpo.printable import printable
from mnpo.runs.directory import explain_os_error
from mnpo.runs.files import is_partial, write_together

#: Endings of the files ``leaderboard.*``, in the order they are written: JSON, of which the
#: others can be made, is last.
FORMS = ("csv", "md", "tex", "html", "json")
_START = re.compile(r'\{\s*"format":\s*\d+,\s*"board":')


def render(board: Board) -> dict[str, str]:
    """The text of every file by its ending; the same board gives the same texts.

    Raises:
        UserError: columns are asked for that the board does not have.
    """
    from leaderboards.render.html import render_html

    require_known(board.sections, options_of(board))
    return {
        "csv": render_csv(board),
        "md": render_markdown(board),
        "tex": render_latex(board),
        "html": render_html(board),
        "json": render_json(board),
    }


def write_board(board: Board, folder: str | Path) -> dict[str, Path]:
    """Write ``leaderboard.csv``, ``.md``, ``.tex``, ``.html`` and ``.json``.

    All are on the disk before the first gets its name; an older board there is replaced.

    Args:
        board: to write.
        folder: made if it is not there.

    Returns:
        the files by their endings.

    Raises:
        UserError: the folder holds something that is no leaderboard, or cannot be written.
    """
    folder = Path(folder)
    refuse(folder)
    texts = render(board)
    paths = {form: folder / f"leaderboard.{form}" for form in FORMS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together({paths[form]: texts[form] for form in FORMS})
    except OSError as error:
        raise UserError(explain_os_error(error, folder)) from None
    return paths


def refuse(folder: Path) -> None:
    """Look whether `write_board` would be refused, before anything is computed; writes nothing.

    Raises:
        UserError: it is a file, or holds something that is no leaderboard.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file; give a folder to write the leaderboard into")
        if not folder.is_dir() or _is_ours(folder / "leaderboard.json"):
            return
        names = sorted(own.name for own in folder.iterdir())
        partial = {name for name in names if is_partial(Path(name))}
        # A write that was killed while files got their names leaves the last one without it.
        killed = any(name.startswith(".leaderboard.json.") for name in partial)
        ours = {f"leaderboard.{form}" for form in FORMS[:-1]} if killed else set()
        foreign = [name for name in names if name not in ours | partial]
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror})") from None
    if foreign:
        raise UserError(
            f"{folder} holds {printable(foreign[0])} and no leaderboard of this program; "
            "give another --output folder"
        )


def _is_ours(file: Path) -> bool:
    """Whether it begins as our JSON file does; its board may be of any version, or damaged."""
    if not file.is_file():
        return False
    with file.open(encoding="utf-8", errors="replace") as opened:
        return bool(_START.match(opened.read(80)))
