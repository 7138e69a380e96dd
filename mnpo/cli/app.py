"""The `mnpo-bench` command: its sub-commands, and what happens to errors."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mnpo import __version__
from mnpo.cli import (
    algorithms,
    data,
    evaluate,
    games,
    leaderboard,
    models,
    score,
    simulate,
    status,
    train,
    train_all,
    verify,
)
from mnpo.cli.lines import complain
from mnpo.errors import UserError

app = typer.Typer(
    name="mnpo-bench",
    help="Benchmark suite for game-theoretic preference optimisation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("simulate", help=simulate.HELP, epilog=simulate.EPILOG)(simulate.simulate)
app.command("train", help=train.HELP, epilog=train.EPILOG)(train.train)
app.command("train-all", help=train_all.HELP, epilog=train_all.EPILOG)(train_all.train_all)
app.command("evaluate", help=evaluate.HELP, epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command("status", help=status.HELP, epilog=status.EPILOG)(status.status)
app.command("verify", help=verify.HELP, epilog=verify.EPILOG)(verify.verify)
app.command("leaderboard", help=leaderboard.HELP, epilog=leaderboard.EPILOG)(
    leaderboard.leaderboard
)
app.add_typer(score.app, name="score")
app.add_typer(data.app, name="data")
app.add_typer(games.app, name="games")
app.add_typer(algorithms.app, name="algorithms")
app.add_typer(models.app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"mnpo-bench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Benchmark suite for game-theoretic preference optimisation."""


_INTERRUPTED = 130
#: What typer raises for options it cannot make sense of; only this subclass of it is public.
_UsageError: Any = typer.BadParameter.__base__


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit code 2.

    Raises:
        KeyboardInterrupt: a command was interrupted that has nothing to say about it.
    """
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "mnpo-bench"
        if message := error.format_message():  # empty where the help has been printed instead
            complain(f"{' '.join(message.split())} ('{command} --help' lists what there is)")
        sys.exit(2)
    except UserError as error:
        complain(str(error))
        sys.exit(2)
    except RecursionError:
        complain("the input is nested too deeply to be read; nothing needs so many levels")
        sys.exit(2)
    except MemoryError:
        complain("there is not enough memory; take a smaller input, or a larger machine")
        sys.exit(2)
    except OSError as error:
        from mnpo.runs.directory import explain_os_error

        where = Path("stdout" if _while_printing(error) else ".")
        if isinstance(error, BrokenPipeError):  # its reader has seen enough
            sys.exit(1)
        complain(explain_os_error(error, where))
        sys.exit(2)
    if code == _INTERRUPTED:  # typer makes it of a KeyboardInterrupt
        raise KeyboardInterrupt
    sys.exit(code or 0)


#: Whose code prints; what else fails to write is a file.
_PRINTERS = ("mnpo.cli.", "rich.", "typer.", "click.")


def _while_printing(error: OSError) -> bool:
    """Whether stdout could not be written; what it still holds is dropped then.

    A failed write to an open file names none, and stdout gives no sign of having failed.
    """
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    module = "" if at is None else str(at.tb_frame.f_globals.get("__name__"))
    if error.filename is not None or not f"{module}.".startswith(_PRINTERS):
        return False
    # Else Python would try again at its end, and complain in its own words.
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return True
