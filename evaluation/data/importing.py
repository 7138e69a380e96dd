"""Taking benchmark files from a folder into the cache: for machines that cannot fetch them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.data.catalog import Role, chosen, entry
from evaluation.data.contents import content_sha256, content_size
from evaluation.data.looking import Found, look
from evaluation.data.store import Store
from mnpo.errors import InvalidSetting, UserError

#: Files of a folder that are looked at by content; a folder with more is no folder of benchmarks.
MOST_FILES = 100_000


@dataclass(frozen=True)
class Taken:
    """What became of one role.

    Attributes:
        benchmark, role: which.
        state: "imported", "kept" (the cache has it already, as good or better), "refused" (a
            known file whose content is another than the known), "missing", or "optional" for a
            missing one that the benchmark works without.
        form: of what is in the cache now; "" for nothing.
        detail: the file, the reason, or what to know of the form.
    """

    benchmark: str
    role: str
    state: str
    form: str = ""
    detail: str = ""

    def describe(self) -> dict[str, str]:
        """JSON-ready."""
        return asdict(self)


def import_folder(
    folder: Path,
    names: Sequence[str] = (),
    *,
    accept_changed: bool = False,
    store: Store | None = None,
) -> Iterator[Taken]:
    """Find the known files in a folder and copy them into the cache, role by role.

    A file is found at one of the paths that the registry names, or anywhere by its content. What
    an earlier, interrupted import brought is not copied again.

    Args:
        folder: with the files.
        names: BENCHMARK or BENCHMARK/ROLE; none takes all.
        accept_changed: take a file at a known path although its content is another than the
            known; it is labelled "changed" for ever.
        store: the cache; None takes the project's.

    Raises:
        InvalidSetting: no such folder, or an unknown name.
        UserError: a file cannot be read.
        OSError: the disk is full or not writable.
    """
    if not folder.is_dir():
        raise InvalidSetting(f"{folder}: no such folder to import from")
    wanted = list(chosen(list(names)))
    store = store or Store()
    contents = _Contents(folder)
    for benchmark, name in wanted:
        yield _take(folder, benchmark, name, contents, accept_changed, store)


def _take(
    folder: Path,
    benchmark: str,
    name: str,
    contents: "_Contents",
    accept_changed: bool,
    store: Store,
) -> Taken:
    known = entry(benchmark)
    role = known.roles[name]
    found = look(folder, role)
    good = [own for own in found if not own.changed] + contents.find(role)
    best = min(good, key=lambda own: own.rank, default=None)
    changed = next((own for own in found if own.changed), None)
    kept = store.intact(benchmark, name)
    worst = len(role.variants)
    if best is None and changed is not None and accept_changed:
        form, rank = "changed", worst
        note = "its content is another than the known one, taken on request"
        best = changed
    elif best is not None:
        form, rank, note = best.variant.form, best.rank, best.variant.note
    elif changed is not None:
        return Taken(benchmark, name, "refused", kept.form if kept else "", _differs(changed, role))
    elif kept is not None:
        return Taken(benchmark, name, "kept", kept.form, "nothing of it in this folder")
    else:
        return Taken(benchmark, name, "optional" if role.optional else "missing", "", role.what)
    if kept is not None and _as_good(kept.rank, rank, best):
        return Taken(benchmark, name, "kept", kept.form, kept.note)
    source = best.root if best.variant.folder else next(iter(best.files.values()))
    stored = store.put(
        benchmark,
        name,
        {_stored_name(label, path): path for label, path in best.files.items()},
        folder=best.variant.folder,
        form=form,
        rank=rank,
        note=note,
        licence=known.licence_of(name),
        source=str(source or folder),
    )
    return Taken(benchmark, name, "imported", stored.form, note or str(source or folder))


def _as_good(kept: int, rank: int, best: Found) -> bool:
    """Whether the cache has a better form, or this very content.

    What no hash tells apart is taken again: the user brings it because it is another.
    """
    known = not best.changed and all(file.sha256 for file in best.variant.files)
    return kept < rank or (kept == rank and known)


def _differs(found: Found, role: Role) -> str:
    path = found.changed[0]
    known = ", ".join(sorted(sha256[:12] for sha256 in role.hashes))
    return (
        f"{path}: its content has sha256 {content_sha256(path)[:12]}, the known one {known}; it "
        "was edited or is another version: bring the known one, or take it with --accept-changed"
    )


def _stored_name(name: str, path: Path) -> str:
    """The registry's name, zipped as the file is (readers go by the ending)."""
    zipped = path.name.endswith(".gz")
    return f"{name.removesuffix('.gz')}.gz" if zipped else name.removesuffix(".gz")


class _Contents:
    """The files of a folder by content; hashed only where a size fits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_size: dict[int, list[Path]] | None = None

    def find(self, role: Role) -> list[Found]:
        """Forms of one file each that are somewhere in the folder under whatever name."""
        found = []
        for rank, variant in enumerate(role.variants):
            (file, *others) = variant.files
            if others or file.sha256 is None or file.bytes is None:
                continue
            for path in self._sized(file.bytes):
                try:
                    same = content_sha256(path) == file.sha256
                except UserError:
                    continue  # of a size that fits by chance, and unreadable: not what is sought
                # A folder's file must keep its name: readers look for it by that.
                if same and not variant.folder:
                    found.append(Found(variant, rank, {file.name: path}))
                    break
        return found

    def _sized(self, size: int) -> list[Path]:
        if self._by_size is None:
            self._by_size = {}
            for path in _walk(self._folder):
                try:
                    self._by_size.setdefault(content_size(path), []).append(path)
                except OSError:
                    continue
        return self._by_size.get(size, [])


def _walk(folder: Path) -> Iterator[Path]:
    count = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here) / name
            if path.is_file():
                count += 1
                if count > MOST_FILES:
                    return
                yield path
