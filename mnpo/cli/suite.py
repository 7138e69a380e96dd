"""`mnpo-bench simulate --suite`: the simulator's leaderboard in one command."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnpo.cli.lines import complain, say
from mnpo.errors import InvalidSetting


def refuse_others(given: Mapping[str, Any]) -> None:
    """Refuse options that a suite settles itself.

    Args:
        given: by option; what is None, empty or False was not given.

    Raises:
        InvalidSetting: one was.
    """
    named = [option for option, value in given.items() if value]
    if named:
        verb = "does" if len(named) == 1 else "do"
        raise InvalidSetting(
            f"{', '.join(named)} {verb} not go with --suite, which settles its own games, "
            "algorithms and step sizes; leave it out"
        )


def simulate_suite(
    name: str,
    *,
    output: Path | None,
    held_out: int | None,
    quick: bool,
    jobs: int,
    overwrite: bool,
    dry_run: bool,
) -> None:
    """Run a suite and print its tables.

    Args:
        name: of the suite.
        output: run directory; None is ``runs/suite-NAME-HASH``.
        held_out: held-out games of each family; None leaves the suite's own.
        quick: its small version.
        jobs: worker processes.
        overwrite: replace a run with other settings.
        dry_run: say what would be done, and do nothing.
    """
    from mnpo.runs import digest
    from simulators.suite.cell import cells_of
    from simulators.suite.settings import MAX_GAMES, load_suite

    if jobs < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {jobs}")
    if held_out is not None and held_out > MAX_GAMES:
        raise InvalidSetting(
            f"--seeds must be at most {MAX_GAMES}, held-out games of each family, got {held_out}"
        )
    settings = load_suite(name, held_out=held_out, quick=quick)
    whole = digest(settings.model_dump(mode="json"))
    folder = output or Path("runs") / f"suite-{settings.suite}-{whole[:8]}"
    if dry_run:
        say(
            f"{len(cells_of(settings))} cells: {len(settings.algorithms)} algorithms on "
            f"{len(settings.families)} families in {len(settings.regimes)} regimes"
        )
        say(f"would write to {folder}")
        return
    _run(settings, folder, jobs=jobs, overwrite=overwrite)


def _run(settings: Any, folder: Path, *, jobs: int, overwrite: bool) -> None:
    from mnpo.cli.printing import print_to
    from mnpo.cli.progress import Progress
    from simulators.suite.run import run_suite
    from simulators.suite.tables import terminal_tables

    with Progress(quiet=False) as progress:
        try:
            result = run_suite(
                settings,
                folder,
                jobs=jobs,
                overwrite=overwrite,
                command=shlex.join(["mnpo-bench", *sys.argv[1:]]),
                listen=lambda done, total: progress.show("cells", done, total),
            )
        except KeyboardInterrupt:
            complain(f"interrupted; finished parts are kept in {folder}, the same command goes on")
            sys.exit(130)
    print_to(sys.stdout, *terminal_tables(settings, result.rows))
    if result.resumed:
        say(f"{result.resumed} cells were finished before and taken over")
    say(f"tables with standard errors, and two further metrics: {folder / 'suite.md'}")
