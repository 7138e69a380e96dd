"""Run a suite: take over what is there, run the rest, write the tables."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnpo.errors import InvalidSetting
from mnpo.runs import RunDirectory, write_atomically
from mnpo.runs.alive import at_work
from mnpo.runs.workers import become_worker, interrupts_held_back, process_pool
from simulators.study.outputs import json_ready
from simulators.suite.baselines import baseline_rows
from simulators.suite.cell import Cell, CellResult, cells_of, run_cell
from simulators.suite.results import TABLES, csv_text, game_rows, suite_rows, tuning_rows
from simulators.suite.settings import SuiteSettings
from simulators.suite.tables import render_markdown

#: Told of (cells done, cells in all).
Listener = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class SuiteResult:
    """A finished suite.

    Attributes:
        directory: its run directory.
        settings: of the suite.
        rows: table name ("suite", "games", "tuning", "families") -> its rows.
        resumed: cells that had been finished before.
        seconds: wall time of this invocation.
    """

    directory: RunDirectory
    settings: SuiteSettings
    rows: dict[str, list[dict[str, Any]]]
    resumed: int
    seconds: float


def run_suite(
    settings: SuiteSettings,
    folder: str | Path,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    command: str = "",
    listen: Listener = lambda done, total: None,
) -> SuiteResult:
    """Tune and run every algorithm on every family in every regime.

    Every finished cell is kept at once; the same call goes on where a killed one was. Damaged
    parts are detected by their hashes and made again.

    Args:
        settings: the suite, kept as ``run.yaml``.
        folder: the run directory.
        jobs: worker processes.
        overwrite: replace a run with other settings.
        command: that was typed, for the report; "" where there was none.
        listen: told of progress.

    Raises:
        UserError: the folder belongs to something else, or a family cannot be drawn.
        OSError: it cannot be written.
    """
    begun = time.perf_counter()
    if jobs < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {jobs}")
    cells = cells_of(settings)
    for cell in {cell.family_name: cell for cell in cells}.values():
        cell.games([cell.held_out.start])  # a family that cannot be drawn is refused here
    config = settings.model_dump(mode="json")
    directory = RunDirectory.open(Path(folder), config, overwrite=overwrite)
    with at_work(directory.path):
        done, resumed = _do(directory, cells, jobs, command, listen)
    results = [done[i] for i in range(len(cells))]
    rows = {
        "suite": suite_rows(settings, cells, results),
        "games": game_rows(settings, cells, results),
        "tuning": tuning_rows(settings, cells, results),
        "families": baseline_rows(settings),
    }
    seconds = time.perf_counter() - begun
    outputs = {f"{name}.csv": directory.path / f"{name}.csv" for name in TABLES}
    for name, columns in TABLES.items():
        write_atomically(outputs[f"{name}.csv"], csv_text(columns, rows[name]))
    outputs["suite.md"] = directory.path / "suite.md"
    made_by = str(directory.manifest().get("command", command))  # not who only looked again
    write_atomically(outputs["suite.md"], render_markdown(settings, rows, made_by))
    if resumed < len(cells) or directory.manifest().get("status") != "done":
        directory.finish(outputs, seconds)
    return SuiteResult(directory, settings, rows, resumed, seconds)


def _do(
    directory: RunDirectory, cells: Sequence[Cell], jobs: int, command: str, listen: Listener
) -> tuple[dict[int, CellResult], int]:
    """All cells by position, and how many had been finished before."""
    keys = [cell.key for cell in cells]
    done = {i: part for i, key in enumerate(keys) if (part := _read(directory, key))}
    resumed = len(done)
    listen(resumed, len(cells))
    missing = [i for i in range(len(cells)) if i not in done]
    if missing:
        entries = {"command": command} if command else {}
        directory.begin(taken_over=resumed > 0, jobs=len(cells), **entries)
    for position, part in _finished([cells[i] for i in missing], jobs):
        index = missing[position]
        content = json.dumps(json_ready(asdict(part)), allow_nan=False)
        directory.write_part(keys[index], "json", content)
        done[index] = part
        listen(len(done), len(cells))
    return done, resumed


def _read(directory: RunDirectory, key: str) -> CellResult | None:
    if not directory.has_part(key, "json"):
        return None
    return CellResult(**json.loads(directory.part(key, "json").read_text()))


def _finished(cells: Sequence[Cell], jobs: int) -> Iterator[tuple[int, CellResult]]:
    """(position, result) of all cells, as they finish."""
    if jobs == 1 or len(cells) < 2:
        for position, cell in enumerate(cells):
            yield position, run_cell(cell)
        return
    from concurrent.futures import as_completed

    with process_pool(min(jobs, len(cells)), _one_thread, kept="finished parts") as pool:
        with interrupts_held_back():
            futures = {pool.submit(run_cell, cell): i for i, cell in enumerate(cells)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _one_thread() -> None:
    """Also for the BLAS that numpy has loaded already."""
    become_worker()
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
