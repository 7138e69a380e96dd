"""The paths that were given, opened and named; nothing of what they hold is understood here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leaderboards.board import LeftOut
from leaderboards.collect.opening import NotUsable, Opened, inner_evaluation, open_run
from mnpo.errors import DamagedRun, UserError
from mnpo.runs.files import sha256_file


@dataclass
class Given:
    """What was given.

    Attributes:
        runs: run directories by their key on the board.
        files: other paths by their key.
        left_out: what cannot be used.
        notes: for the board.
    """

    runs: dict[str, Opened] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_given(paths: Sequence[Path]) -> Given:
    """Open everything.

    Raises:
        UserError: a path that does not exist.
    """
    given = Given()
    opened: dict[Path, Opened] = {}
    files: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no {path}; give the folder of a run")
        if path.is_file() or (not (path / "run.yaml").exists() and _is_other(path)):
            files.setdefault(path.resolve(), path)
            continue
        for place in (path, inner_evaluation(path)):
            if place is None or place.resolve() in opened:
                continue
            try:
                opened[place.resolve()] = open_run(place)
            except (NotUsable, DamagedRun) as error:
                given.left_out.append(left_out(place, error))
    _name_runs(given, list(opened.values()))
    _name_files(given, list(files.values()))
    return given


def left_out(path: Path, error: UserError) -> LeftOut:
    """What cannot be used; the reason does not name it once more."""
    said = str(error)
    for beginning in (f"{path}: ", f"{path} "):
        said = said.removeprefix(beginning)
    return LeftOut(str(path), said)


def _is_other(path: Path) -> bool:
    """Whether a folder that is no run may be a board or a matrix of somebody else."""
    return any(path.glob("*.csv")) or any(path.glob("*.json")) or any(path.glob("*.npy"))


def _name_runs(given: Given, runs: Sequence[Opened]) -> None:
    """Copies are taken once; keys are folders' names, whatever the order of the paths."""
    once: dict[str, Opened] = {}
    for own in sorted(runs, key=lambda run: str(run.path)):
        before = once.setdefault(own.identity, own)
        if before is not own:
            given.notes.append(f"{own.path} is a copy of {before.path}: taken once")
    for own in sorted(once.values(), key=lambda run: (_called(run), run.identity)):
        given.runs[_free(_called(own), given.runs, own.identity)] = own


def _called(run: Opened) -> str:
    """A chain's evaluation is called by its training run too."""
    folder = run.path.resolve()
    chained = run.kind == "evaluation" and (folder.parent / "run.yaml").is_file()
    return f"{folder.parent.name}/{folder.name}" if chained else folder.name


def _name_files(given: Given, files: Sequence[Path]) -> None:
    taken = dict.fromkeys(given.runs)
    for path in sorted(files, key=lambda own: (own.name, str(own))):
        mark = sha256_file(path) if path.is_file() else str(path)
        key = _free(path.name, taken, mark)
        taken[key] = None
        given.files[key] = path


def _free(
    name: str, taken: "dict[str, object] | dict[str, Opened] | dict[str, None]", mark: str
) -> str:
    if name not in taken:
        return name
    count = 4
    while f"{name}-{mark[:count]}" in taken and count < len(mark):
        count += 1
    return f"{name}-{mark[:count]}"
