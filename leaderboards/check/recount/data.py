"""Files of a benchmark's own that counting again needs."""

from pathlib import Path

from evaluation.data.files import BenchmarkFiles
from evaluation.data.find import find_files
from leaderboards.check.recount.evaluation_run import Told
from leaderboards.check.recount.found import NotHere


def data_of(told: Told, benchmark: str, *roles: str) -> BenchmarkFiles:
    """The benchmark's files, from the folder that the evaluation named or this machine's.

    Raises:
        NotHere: one of the roles is not on this machine.
    """
    folder = None if told.settings.data_dir is None else Path(told.settings.data_dir)
    files = find_files(benchmark, folder if folder is not None and folder.is_dir() else None)
    lacking = [role for role in roles if role not in files.paths]
    if lacking:
        raise NotHere(
            f"{', '.join(lacking)} of {benchmark} are not on this machine; bring them with "
            "'mnpo-bench data import' to have the figures computed from the verdicts"
        )
    return files
