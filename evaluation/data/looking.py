"""Where in a folder that somebody else filled a role's files lie."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.data.catalog import KnownFile, Role, Variant
from evaluation.data.contents import content_sha256, spellings


@dataclass(frozen=True)
class Found:
    """A role's files in a folder.

    Attributes:
        variant: which form they were looked for as.
        rank: its place among the role's.
        files: by name in the registry.
        changed: those whose content is another than the known one.
    """

    variant: Variant
    rank: int
    files: dict[str, Path]
    changed: tuple[Path, ...] = ()

    @property
    def root(self) -> Path | None:
        """The folder around the files of a folder; None where they do not share one."""
        roots = set()
        for name, path in self.files.items():
            for spelling in spellings(name):
                if path.parts[-len(Path(spelling).parts) :] == Path(spelling).parts:
                    roots.add(path.parents[len(Path(spelling).parts) - 1])
        return roots.pop() if len(roots) == 1 else None

    @property
    def path(self) -> Path | None:
        """What the benchmark is given: the file, or the folder."""
        return self.root if self.variant.folder else next(iter(self.files.values()))


def look(folder: Path, role: Role) -> list[Found]:
    """Every form of the role that is whole in the folder, in the order of preference.

    A file at a path of its own (with a folder in it) is taken for what it should be, and listed
    as changed where its content is not the known one. A bare name says little (there are many a
    ``question.jsonl``), so there the content must be the known one, where it is known.

    Raises:
        UserError: a file cannot be read.
    """
    found = []
    for rank, variant in enumerate(role.variants):
        files: dict[str, Path] = {}
        changed = []
        for file in variant.files:
            path, is_known = _locate(folder, file)
            if path is None:
                break
            files[file.name] = path
            if not is_known:
                changed.append(path)
        else:
            own = Found(variant, rank, files, tuple(changed))
            if own.path is not None:
                found.append(own)
    return found


def _locate(folder: Path, file: KnownFile) -> tuple[Path | None, bool]:
    """The file, and whether its content is the known one (or no content is known)."""
    other = None
    for path in file.paths:
        for spelling in spellings(path):
            candidate = folder / spelling
            if not candidate.is_file():
                continue
            if file.sha256 is None or content_sha256(candidate) == file.sha256:
                return candidate, True
            if "/" in path and other is None:
                other = candidate
    return other, False
