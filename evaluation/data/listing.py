"""What of the registry is on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.data.catalog import catalog, chosen, entry
from evaluation.data.find import find_files
from evaluation.data.store import Store


@dataclass(frozen=True)
class Listed:
    """One role of one benchmark.

    Attributes:
        benchmark, role: which.
        what: in one line.
        licence: of its data.
        here: "cache", "folder" (the user's), "package" (an installed one's), "built in", or "no".
        form: of what is in the cache; "" elsewhere.
        path: where it is; None where it is not.
        source: official address, "" where there is none.
        optional: the benchmark works without it.
    """

    benchmark: str
    role: str
    what: str
    licence: str
    here: str
    form: str
    path: Path | None
    source: str
    optional: bool

    def describe(self) -> dict[str, str | bool | None]:
        """JSON-ready."""
        path = None if self.path is None else str(self.path)
        return {**self.__dict__, "path": path}


def listed(
    names: Sequence[str] = (), data_dir: Path | None = None, *, store: Store | None = None
) -> Iterator[Listed]:
    """Every role of these benchmarks, and where it is.

    Raises:
        InvalidSetting: an unknown name, or ``data_dir`` is no folder.
        UserError: a file cannot be read.
    """
    store = store or Store()
    for benchmark in catalog():
        if not names or benchmark in names:
            known = entry(benchmark)
            if known.built_in:
                yield Listed(
                    benchmark, "", known.title, known.licence, "built in", "", None, "", False
                )
    found = {}
    for benchmark, name in chosen(list(names)):
        known = entry(benchmark)
        role = known.roles[name]
        if benchmark not in found:
            found[benchmark] = find_files(benchmark, data_dir, store=store)
        path = found[benchmark].get(name)
        cached = store.path(benchmark, name)
        form = ""
        if path is None:
            here = "no"
        elif path == cached:
            here, form = "cache", store.manifest(benchmark).roles[name].form
        elif data_dir is not None and path.is_relative_to(data_dir):
            here = "folder"
        else:
            here = "package"
        fetchable = role.fetchable
        yield Listed(
            benchmark,
            name,
            role.what,
            known.licence_of(name),
            here,
            form,
            path,
            str(fetchable.files[0].url) if fetchable else "",
            role.optional,
        )
