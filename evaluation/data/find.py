"""A benchmark's files on this machine, wherever they are; nothing is fetched."""

from importlib.util import find_spec
from pathlib import Path

from evaluation.data.catalog import Entry, Role, entry
from evaluation.data.files import BenchmarkFiles
from evaluation.data.looking import look
from evaluation.data.store import MANIFEST, Store
from mnpo.errors import InvalidSetting

#: Role of the folder around roles that are folders themselves.
FOLDER = "folder"


def find_files(
    benchmark: str, data_dir: Path | None = None, *, store: Store | None = None
) -> BenchmarkFiles:
    """The files of a benchmark that are here.

    Looked for in ``data_dir`` (in the official repository's layout, in that of an import folder,
    or a copy of this project's own cache), then in the cache, then in the installed package that
    carries the file. A role that is nowhere is not in the result.

    Args:
        benchmark: name in the registry.
        data_dir: a folder of the user's.
        store: the cache; None takes the project's.

    Raises:
        InvalidSetting: an unknown benchmark, or ``data_dir`` is no folder.
        UserError: a file cannot be read.
    """
    known = entry(benchmark)
    if data_dir is not None and not data_dir.is_dir():
        raise InvalidSetting(f"{data_dir}: no such folder with benchmark data")
    store = store or Store()
    own = _copy_of_a_cache(benchmark, data_dir)
    paths: dict[str, Path] = {}
    given = False
    for name, role in known.roles.items():
        path = None if own is None else own.path(benchmark, name)
        if path is None and data_dir is not None:
            path = in_folder(data_dir, role)
        given = given or path is not None
        path = path or store.path(benchmark, name) or in_package(role)
        if path is not None:
            paths[name] = path
    if paths and known.folder_of_roles:
        paths[FOLDER] = _around(known, paths, given)
    return BenchmarkFiles(benchmark, paths)


def in_folder(folder: Path, role: Role) -> Path | None:
    """A role's best form in a folder; one whose content is known goes before one that changed."""
    found = sorted(look(folder, role), key=lambda own: (bool(own.changed), own.rank))
    return found[0].path if found else None


def in_package(role: Role) -> Path | None:
    """A role's file in an installed package; the package is not imported."""
    if role.package is None:
        return None
    name, _, rest = role.package.partition("/")
    spec = find_spec(name)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / rest
        if path.is_file():
            return path
    return None


def _copy_of_a_cache(benchmark: str, data_dir: Path | None) -> Store | None:
    for folder in (data_dir, data_dir and data_dir / "benchmarks"):
        if folder is not None and (folder / benchmark / MANIFEST).is_file():
            return Store(folder)
    return None


def _around(known: Entry, paths: dict[str, Path], given: bool) -> Path:
    """The folder that most of the roles' folders lie in; the user's before the cache's."""
    parents = [paths[name].parent for name in known.roles if name in paths]
    if given:
        return parents[0] if len(set(parents)) == 1 else max(parents, key=parents.count)
    return max(parents, key=parents.count)
