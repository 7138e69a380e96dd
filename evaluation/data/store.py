"""The benchmarks' files in this project's cache, with what is known of each.

``benchmarks/NAME/ROLE/FILE`` below the cache folder, and beside the roles ``manifest.json``: for
each role its form, licence, source, time, and its files with their hashes. A file is copied under
a temporary name and renamed; the manifest is written after it, so what it names was whole.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from evaluation.data.catalog import Name, RelativePath, RoleName, Sha256
from evaluation.data.contents import content_sha256
from mnpo.errors import DamagedRun
from mnpo.runs.files import sha256_file, write_atomically
from mnpo.training.models.cache import cache_folder, only_one
from mnpo.validation import Settings, check

MANIFEST = "manifest.json"


class StoredFile(Settings):
    """One file: sha256 of its bytes and of its content, and how many bytes."""

    sha256: Sha256
    content_sha256: Sha256
    bytes: int


class StoredRole(Settings):
    """What is kept for one role.

    Attributes:
        path: of the file or folder, below the benchmark's folder.
        form: as in the registry, or "changed".
        rank: place of the form in the registry's order of preference; greater is worse.
        note: as in the registry.
        licence: likewise.
        source: the address or the file that it was taken from.
        time: when, in UTC.
        files: by path below the benchmark's folder.
    """

    path: RelativePath
    form: str
    rank: int
    note: str
    licence: str
    source: str
    time: str
    files: dict[RelativePath, StoredFile] = Field(min_length=1)


class Manifest(Settings):
    """What is kept for one benchmark."""

    benchmark: Name
    roles: dict[RoleName, StoredRole]


@dataclass(frozen=True)
class Checked:
    """A file of the cache, hashed again.

    Attributes:
        benchmark, role: whose it is.
        path: where.
        state: "ok", "changed" or "missing".
        form: of the role.
    """

    benchmark: str
    role: str
    path: Path
    state: str
    form: str

    def describe(self) -> dict[str, str]:
        """JSON-ready."""
        return asdict(self) | {"path": str(self.path)}


class Store:
    """A folder of benchmarks' files.

    Args:
        folder: None takes ``benchmarks`` in the project's cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "benchmarks"

    def manifest(self, benchmark: str) -> Manifest:
        """What is kept for a benchmark; nothing where there is no such folder.

        Raises:
            DamagedRun: its manifest cannot be read or names files outside its folder.
        """
        path = self.folder / benchmark / MANIFEST
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return Manifest(benchmark=benchmark, roles={})
        except (OSError, UnicodeDecodeError) as error:
            raise DamagedRun(f"{path}: cannot be read ({error})") from None
        try:
            loaded = json.loads(text)
            if not isinstance(loaded, dict):
                raise ValueError("it is no JSON object")
            return check(Manifest, loaded, f"{path}: {{}}".format)
        except (ValueError, RecursionError) as error:  # an InvalidSetting is one
            raise DamagedRun(
                f"{path}: is damaged ({error}); remove the folder {path.parent} and take the "
                "files in again"
            ) from None

    def path(self, benchmark: str, role: str) -> Path | None:
        """Where a role's file or folder is; None where it is not, or one of its files is gone."""
        kept = self.manifest(benchmark).roles.get(role)
        if kept is None:
            return None
        folder = self.folder / benchmark
        return folder / kept.path if all((folder / f).is_file() for f in kept.files) else None

    def intact(self, benchmark: str, role: str) -> StoredRole | None:
        """What is kept for a role, hashed again; None where that is not all well."""
        kept = self.manifest(benchmark).roles.get(role)
        if kept is None or any(c.state != "ok" for c in self._check(benchmark, role, kept)):
            return None
        return kept

    def put(
        self,
        benchmark: str,
        role: str,
        sources: Mapping[str, Path],
        *,
        folder: bool,
        form: str,
        rank: int,
        note: str,
        licence: str,
        source: str,
    ) -> StoredRole:
        """Copy files into the cache, and note what they are.

        Copied, not linked: a link would follow when somebody edits the original. What was kept for
        the role before is replaced; a file that is there already is not written again.

        Args:
            benchmark: name in the registry.
            role: likewise.
            sources: files by the name they get below the role's folder.
            folder: whether the role is the folder.
            form: see `StoredRole`.
            rank: likewise.
            note: likewise.
            licence: likewise.
            source: likewise.

        Raises:
            UserError: a file cannot be read.
            OSError: the disk is full or not writable; the manifest is as it was.
        """
        own = self.folder / benchmark
        with only_one(own / ".lock"):
            before = self.manifest(benchmark)
            files = {
                f"{role}/{name}": _copy(path, own / role / name) for name, path in sources.items()
            }
            kept = StoredRole(
                path=role if folder else next(iter(files)),
                form=form,
                rank=rank,
                note=note,
                licence=licence,
                source=source,
                time=datetime.now(UTC).isoformat(timespec="seconds"),
                files=files,
            )
            after = Manifest(benchmark=benchmark, roles=before.roles | {role: kept})
            write_atomically(own / MANIFEST, _text(after))
            for name in before.roles[role].files if role in before.roles else ():
                if name not in files:
                    (own / name).unlink(missing_ok=True)
        return kept

    def verify(self, benchmarks: list[str] | tuple[str, ...]) -> Iterator[Checked]:
        """Every kept file of these benchmarks, hashed again.

        Raises:
            DamagedRun: a manifest cannot be read.
        """
        for benchmark in benchmarks:
            for role, kept in self.manifest(benchmark).roles.items():
                yield from self._check(benchmark, role, kept)

    def _check(self, benchmark: str, role: str, kept: StoredRole) -> Iterator[Checked]:
        for name, file in kept.files.items():
            path = self.folder / benchmark / name
            state = "missing"
            if path.is_file():
                state = "ok" if sha256_file(path) == file.sha256 else "changed"
            yield Checked(benchmark, role, path, state, kept.form)


def _copy(source: Path, target: Path) -> StoredFile:
    sha256 = sha256_file(source)
    if not target.is_file() or sha256_file(target) != sha256:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, source.read_bytes())
    return StoredFile(
        sha256=sha256, content_sha256=content_sha256(target), bytes=target.stat().st_size
    )


def _text(manifest: Manifest) -> str:
    values: dict[str, Any] = manifest.model_dump()
    return json.dumps(values, indent=1) + "\n"
