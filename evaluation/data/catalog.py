"""The registry of benchmarks: which files each needs, where they come from, how they are known."""

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Literal, TypeAlias

import yaml
from pydantic import AfterValidator, Field, field_validator, model_validator

from mnpo.errors import InvalidSetting, suggest
from mnpo.validation import Settings, check

#: How a file relates to what its authors published; "changed" is only ever said of a file found.
Form: TypeAlias = Literal["official", "re-arranged", "reconstructed", "own"]


def _relative(path: str) -> str:
    """A path that stays inside the folder it is joined to.

    Raises:
        ValueError: it is absolute, climbs, or is written in a way that only looks harmless.
    """
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} is not a plain relative path")
    if path.startswith("/") or any(part in (".", "..") for part in parts):
        raise ValueError(f"{path!r} leaves its folder")
    return path


RelativePath = Annotated[str, AfterValidator(_relative)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
RoleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KnownFile(Settings):
    """One file.

    Attributes:
        name: in the cache; within a folder of files, its path there.
        url: official address, pinned to a commit; None where there is none in this form.
        sha256: of the content (a .gz file's unzipped); None where none is known.
        bytes: of the content.
        paths: where it may lie in a folder that somebody else filled.
    """

    name: RelativePath
    url: str | None = None
    sha256: Sha256 | None = None
    bytes: int | None = None
    paths: tuple[RelativePath, ...] = ()

    @field_validator("url")
    @classmethod
    def _secure(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("https://"):
            raise ValueError(f"{url!r} is no https address")
        return url


class Variant(Settings):
    """One form in which a role's content exists.

    Attributes:
        form: how it relates to what was published.
        note: what a reader of figures made with it must know.
        folder: whether the role is the folder that holds the files, rather than the one file.
        files: one, or several in a folder.
    """

    form: Form
    note: str = ""
    folder: bool = False
    files: tuple[KnownFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_or_folder(self) -> "Variant":
        if len(self.files) > 1 and not self.folder:
            raise ValueError("several files need a folder")
        return self

    @property
    def fetchable(self) -> bool:
        """Whether every file has an address."""
        return all(file.url is not None for file in self.files)


class Role(Settings):
    """What one file (or folder) is to the benchmark.

    Attributes:
        what: in one line.
        variants: in the order of preference.
        licence: where it differs from the benchmark's.
        rows: records in the whole file, where that is fixed.
        optional: the benchmark works without it.
        package: where an installed package carries the file, as PACKAGE/PATH.
    """

    what: str
    variants: tuple[Variant, ...] = Field(min_length=1)
    licence: str = ""
    rows: int | None = None
    optional: bool = False
    package: RelativePath | None = None

    @property
    def fetchable(self) -> Variant | None:
        """The first form that can be had from its official address."""
        return next((variant for variant in self.variants if variant.fetchable), None)

    @property
    def hashes(self) -> frozenset[str]:
        """Of all contents that are known."""
        return frozenset(f.sha256 for v in self.variants for f in v.files if f.sha256)


class Entry(Settings):
    """One benchmark.

    Attributes:
        title: for people.
        licence: of its data.
        roles: by name.
        built_in: it is part of this project and needs no files.
        folder_of_roles: its roles are folders side by side, and the folder around them is a role
            of its own, "folder".
    """

    title: str
    licence: str
    roles: dict[RoleName, Role]
    built_in: bool = False
    folder_of_roles: bool = False

    def licence_of(self, role: str) -> str:
        """A role's licence."""
        return self.roles[role].licence or self.licence


class Catalog(Settings):
    """All benchmarks by name."""

    version: Literal[1]
    benchmarks: dict[Name, Entry]


@lru_cache(maxsize=1)
def catalog() -> dict[str, Entry]:
    """The registry, as the package carries it."""
    text = files(__package__).joinpath("catalog.yaml").read_text("utf-8")
    return check(Catalog, yaml.safe_load(text), "catalog.yaml: {}".format).benchmarks


def entry(benchmark: str) -> Entry:
    """One benchmark of the registry.

    Raises:
        InvalidSetting: there is none of that name; the message has the nearest one.
    """
    known = catalog()
    if benchmark not in known:
        raise InvalidSetting(f"unknown benchmark '{benchmark}'{suggest(benchmark, known)}")
    return known[benchmark]


def chosen(names: list[str] | tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The (benchmark, role) pairs that names stand for; no name stands for all.

    Args:
        names: BENCHMARK or BENCHMARK/ROLE.

    Raises:
        InvalidSetting: an unknown benchmark or role.
    """
    wanted: dict[tuple[str, str], None] = {}
    for name in names or list(catalog()):
        benchmark, _, role = name.partition("/")
        roles = entry(benchmark).roles
        if "/" in name and role not in roles:
            raise InvalidSetting(f"{benchmark}: has no role '{role}'{suggest(role, roles)}")
        for own in [role] if "/" in name else roles:
            wanted.setdefault((benchmark, own))
    yield from wanted
