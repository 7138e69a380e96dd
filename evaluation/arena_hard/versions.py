"""What tells the two versions of the benchmark apart, as its repository states it."""

from collections.abc import Mapping
from dataclasses import dataclass

from mnpo.errors import InvalidSetting, suggest

#: How often a strong verdict (A>>B) counts in both versions.
STRONG = 3
#: Rounds of the official bootstrap in both versions.
ROUNDS = 100


@dataclass(frozen=True)
class Category:
    """A part of the benchmark that has a leaderboard of its own.

    Attributes:
        questions: how many it has.
        baseline: the model that all others are compared with.
    """

    questions: int
    baseline: str


@dataclass(frozen=True)
class Version:
    """One version.

    Attributes:
        name: "v0.1" or "v2.0".
        categories: by name; the first is the one that the version is known for.
    """

    name: str
    categories: Mapping[str, Category]

    @property
    def benchmark(self) -> str:
        """Name and version, e.g. "arena-hard-v0.1"."""
        return f"arena-hard-{self.name}"

    @property
    def headline(self) -> str:
        """The category whose score is the model's score."""
        return next(iter(self.categories))


VERSIONS = {
    "v0.1": Version("v0.1", {"arena-hard-v0.1": Category(500, "gpt-4-0314")}),
    "v2.0": Version(
        "v2.0",
        {
            "hard_prompt": Category(500, "o3-mini-2025-01-31"),
            "creative_writing": Category(250, "gemini-2.0-flash-001"),
        },
    ),
}


def version_of(name: str) -> Version:
    """A version by its name.

    Raises:
        InvalidSetting: there is none of that name.
    """
    if name not in VERSIONS:
        raise InvalidSetting(
            f"version: Arena-Hard has no version '{name}'{suggest(name, VERSIONS)}"
        )
    return VERSIONS[name]
