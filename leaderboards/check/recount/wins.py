"""Win rates prompt by prompt, as a cross-play keeps them."""

from pathlib import Path

from evaluation.pool.wins_file import PromptWins, read_wins
from leaderboards.check.recount.found import NotHere
from mnpo.errors import UserError


def read_file(file: Path) -> dict[str, PromptWins]:
    """By judge.

    Raises:
        NotHere: there is no such file.
        UserError: it is broken.
    """
    try:
        return read_wins(file.read_bytes())
    except FileNotFoundError:
        raise NotHere(
            f"{file.name} is not there: the run is of a version that did not keep it"
        ) from None
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})") from None
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
