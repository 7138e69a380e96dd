"""Fetching benchmark files from their official addresses into the cache."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from evaluation.data.catalog import KnownFile, chosen, entry
from evaluation.data.contents import content_sha256
from evaluation.data.download import LARGEST, PATIENCE, TooLarge, download, offline_reason
from evaluation.data.store import Store
from mnpo.errors import UserError
from mnpo.runs.files import digest
from mnpo.training.models.cache import only_one


@dataclass(frozen=True)
class Fetched:
    """What became of one role.

    Attributes:
        benchmark, role: which.
        state: "fetched", "kept" (it is here in this form), "failed", or "nowhere" (it has no
            address: bring it with an import).
        detail: the address, the reason, or what to know of the form.
    """

    benchmark: str
    role: str
    state: str
    detail: str = ""

    def describe(self) -> dict[str, str]:
        """JSON-ready."""
        return asdict(self)


def fetch(
    names: Sequence[str] = (),
    *,
    store: Store | None = None,
    mirror: str | None = None,
    offline: bool = False,
    again: bool = False,
    patience: float = PATIENCE,
    say: Callable[[str], object] = lambda line: None,
) -> Iterator[Fetched]:
    """Fetch the official files, role by role, each checked before it is put in place.

    A role whose fetching fails does not keep the others from being fetched.

    Args:
        names: BENCHMARK or BENCHMARK/ROLE; none takes all.
        store: the cache; None takes the project's.
        mirror: an address in front of the official ones: MIRROR/HOST/PATH is fetched instead of
            https://HOST/PATH. The hashes stay.
        offline: refuse, as HF_HUB_OFFLINE=1 does.
        again: fetch what is here already.
        patience: seconds without a byte after which a connection counts as lost.
        say: told each licence before its files are fetched.

    Raises:
        InvalidSetting: an unknown name.
        UserError: offline.
        OSError: the disk is full or not writable.
    """
    wanted = list(chosen(list(names)))
    reason = "--offline was given" if offline else offline_reason()
    if reason:
        raise UserError(
            f"{reason}, so nothing is fetched; bring the files with 'mnpo-bench data import DIR'"
        )
    store = store or Store()
    told: set[tuple[str, str]] = set()
    for benchmark, name in wanted:
        known = entry(benchmark)
        licence = known.licence_of(name)
        if (benchmark, licence) not in told:
            told.add((benchmark, licence))
            say(f"{known.title}: {licence}")
        yield _fetch(benchmark, name, store, mirror, again, patience)


def _fetch(
    benchmark: str, name: str, store: Store, mirror: str | None, again: bool, patience: float
) -> Fetched:
    known = entry(benchmark)
    role = known.roles[name]
    variant = role.fetchable
    if variant is None:
        return Fetched(benchmark, name, "nowhere", "has no address; bring it with an import")
    rank = role.variants.index(variant)
    folder = store.folder / benchmark / ".partial"
    try:
        with only_one(store.folder / benchmark / f".{name}.lock"):
            # Asked with the lock held: another process may just have brought it.
            kept = store.intact(benchmark, name)
            if kept is not None and kept.form == variant.form and kept.rank <= rank and not again:
                return Fetched(benchmark, name, "kept", kept.source)
            folder.mkdir(parents=True, exist_ok=True)
            sources = {
                file.name: _one(file, partial_file(folder, name, file), mirror, patience)
                for file in variant.files
            }
            store.put(
                benchmark,
                name,
                sources,
                folder=variant.folder,
                form=variant.form,
                rank=rank,
                note=variant.note,
                licence=known.licence_of(name),
                source=str(variant.files[0].url),
            )
            for path in sources.values():
                path.unlink(missing_ok=True)
    except UserError as error:
        return Fetched(benchmark, name, "failed", str(error))
    note = "" if all(f.sha256 for f in variant.files) else "no published hash to check it against"
    return Fetched(benchmark, name, "fetched", note or variant.note)


def partial_file(folder: Path, role: str, file: KnownFile) -> Path:
    """Where a download grows: another address must not go on where this one stopped."""
    return folder / f"{role}-{digest(file.url)[:16]}"


def _one(file: KnownFile, partial: Path, mirror: str | None, patience: float) -> Path:
    """One file, downloaded and checked; a wrong one is not kept."""
    assert file.url is not None
    url = _address(file.url, mirror)
    # A .gz file is smaller than its content; a plain one has exactly that many bytes.
    largest = file.bytes or LARGEST
    resumed = partial.is_file()
    try:
        download(url, partial, largest=largest, patience=patience)
    except TooLarge:
        partial.unlink(missing_ok=True)
        raise
    try:
        found = content_sha256(partial)
    except UserError:
        found = "of a damaged gzip file"
    if found == file.sha256 or (file.sha256 is None and len(found) == 64):
        return partial
    partial.unlink()
    if resumed:  # what an earlier call left may have been the wrong half
        return _one(file, partial, mirror, patience)
    wanted = file.sha256[:12] if file.sha256 else "a whole file"
    raise UserError(
        f"{url}: the content has sha256 {found[:12]}, expected {wanted}; the download was damaged "
        "or the file has changed; nothing was kept"
    )


def _address(url: str, mirror: str | None) -> str:
    if mirror is None:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"
