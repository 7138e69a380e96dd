"""The files of one benchmark on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mnpo.errors import UserError


@dataclass(frozen=True)
class BenchmarkFiles:
    """Paths by role.

    Attributes:
        benchmark: its name in the registry, e.g. "mt-bench".
        paths: of the roles that are there, e.g. {"questions": Path(...)}.
    """

    benchmark: str
    paths: Mapping[str, Path]

    def __getitem__(self, role: str) -> Path:
        """The file of a role.

        Raises:
            UserError: it is not there; the message says how to get it.
        """
        if role not in self.paths:
            raise UserError(
                f"{self.benchmark}: its {role.replace('_', ' ')} file is not on this machine; get "
                f"it with 'mnpo-bench data fetch {self.benchmark}', or without a network with "
                "'mnpo-bench data import DIR'"
            )
        return self.paths[role]

    def get(self, role: str) -> Path | None:
        """The file of a role, or None."""
        return self.paths.get(role)
