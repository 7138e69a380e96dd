"""A suite as data: its families of games, its regimes, and how step sizes are tuned."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from mnpo.algorithms import find_entry, list_algorithms
from mnpo.errors import InvalidSetting, suggest
from mnpo.runs.reading import load_yaml
from mnpo.validation import Settings, check
from simulators.games import list_games

#: Seeds of games are whole numbers below this.
MAX_SEED = 2**31
#: Games of one family: far more than any difference takes to show.
MAX_GAMES = 10_000


class Grid(Settings):
    """Step sizes, evenly spaced in their logarithm.

    Attributes:
        low, high: the ends, included.
        count: how many.
    """

    low: float = Field(gt=0)
    high: float = Field(gt=0)
    count: int = Field(ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> "Grid":
        if self.high < self.low:
            raise ValueError(f"high is {self.high:g}, below low, {self.low:g}")
        return self

    def values(self) -> tuple[float, ...]:
        """In ascending order, rounded to ten digits, so that 2 is 2."""
        return tuple(float(f"{v:.10g}") for v in np.geomspace(self.low, self.high, self.count))


class Regime(Settings):
    """How preferences are read, and how much of that a run may do.

    Attributes:
        mode: of the simulator. "exact" reads win rates off the matrix, "sampled" asks.
        rounds: of a run, over all its players and updates: a round is the win rates of all
            actions against one policy, in mode sampled an estimate of them.
        queries: comparisons of a round, mode sampled.
        label_noise: probability that an answer is flipped.
        tuning, held_out: games of each family.
    """

    mode: Literal["exact", "sampled"]
    rounds: int = Field(ge=1)
    queries: int | None = Field(default=None, ge=1)
    label_noise: float = Field(default=0.0, ge=0, lt=0.5)
    tuning: int = Field(ge=1, le=MAX_GAMES)
    held_out: int = Field(ge=1, le=MAX_GAMES)

    @model_validator(mode="after")
    def _asks_or_reads(self) -> "Regime":
        if (self.mode == "sampled") != (self.queries is not None):
            raise ValueError("mode sampled needs queries, and mode exact has none")
        return self


class Family(Settings):
    """Games of one kind, one for each seed.

    Attributes:
        game: registry name.
        parameters: fixed values, or how they are drawn, see `simulators.suite.draws`.
        in_mean: whether the family counts in an algorithm's mean.
    """

    game: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    in_mean: bool = True

    @field_validator("game")
    @classmethod
    def _built_in(cls, value: str) -> str:
        known = [spec.name for spec in list_games() if spec.name != "file"]
        if value not in known:
            raise ValueError(f"unknown game '{value}'{suggest(value, known)}")
        return value


class Seeds(Settings):
    """The first seed of each set of games."""

    held_out: int = Field(ge=0, lt=MAX_SEED)
    tuning: int = Field(ge=0, lt=MAX_SEED)


class Reference(Settings):
    """How a game's reference policy is drawn: (1 - floor) simplex + floor uniform."""

    floor: float = Field(gt=0, le=1)


class SuiteSettings(Settings):
    """A whole suite; what ``run.yaml`` holds.

    Attributes:
        suite, version: its name; figures of different versions are not comparable.
        temperature: tau of every method that reads one, and of the regularised gap.
        step_sizes: that are tried.
        tie: means that differ by less tie.
        seeds, reference, regimes, families: of the games.
        algorithms: registry names.
        parameters: of single algorithms, where they are not the defaults.
        inverse_steps: methods whose own parameter is 1/alpha: their step_size where they read
            one, else their temperature; the games are judged at the common one all the same.
    """

    suite: str
    version: str
    temperature: float = Field(gt=0)
    step_sizes: Grid
    tie: float = Field(ge=0)
    seeds: Seeds
    reference: Reference
    regimes: dict[str, Regime] = Field(min_length=1)
    algorithms: tuple[str, ...] = Field(min_length=1)
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    inverse_steps: tuple[str, ...] = ()
    families: dict[str, Family] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_algorithms(self) -> "SuiteSettings":
        for name in (*self.algorithms, *self.parameters, *self.inverse_steps):
            find_entry(name)
        if len({find_entry(name).name for name in self.algorithms}) < len(self.algorithms):
            raise ValueError("an algorithm is named twice")
        return self

    @model_validator(mode="after")
    def _disjoint(self) -> "SuiteSettings":
        """No game is both tuned on and reported."""
        for name, regime in self.regimes.items():
            if set(self.tuning_seeds(regime)) & set(self.held_out_seeds(regime)):
                tuning = f"{regime.tuning} tuning games from seed {self.seeds.tuning}"
                held_out = f"{regime.held_out} held-out games from seed {self.seeds.held_out}"
                raise ValueError(
                    f"regime {name}: {tuning} and {held_out} overlap; take fewer games, or seeds "
                    "farther apart"
                )
        return self

    def tuning_seeds(self, regime: Regime) -> range:
        """Of the games that step sizes are chosen on."""
        return range(self.seeds.tuning, self.seeds.tuning + regime.tuning)

    def held_out_seeds(self, regime: Regime) -> range:
        """Of the games that are reported."""
        return range(self.seeds.held_out, self.seeds.held_out + regime.held_out)


def list_suites() -> tuple[str, ...]:
    """Names of the suites that come with the package."""
    folder = files("simulators.suite")
    names = (Path(entry.name) for entry in folder.iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".yaml"))


def load_suite(name: str, *, held_out: int | None = None, quick: bool = False) -> SuiteSettings:
    """A suite that comes with the package.

    Args:
        name: see `list_suites`.
        held_out: held-out games of each family, in every regime; None leaves the suite's own.
        quick: the suite's small version.

    Raises:
        InvalidSetting: an unknown suite, or a number of games it cannot have.
    """
    if name not in list_suites():
        raise InvalidSetting(f"unknown suite '{name}'{suggest(name, list_suites())}")
    values: dict[str, Any] = load_yaml((files("simulators.suite") / f"{name}.yaml").read_text())
    small = values.pop("quick", {})
    if quick:
        values |= small | {"suite": f"{name}-quick"}
    if held_out is not None:
        values["regimes"] = {
            key: regime | {"held_out": held_out} for key, regime in values["regimes"].items()
        }
    values.setdefault("algorithms", [entry.name for entry in list_algorithms()])
    return read_suite(values, f"suite {name}: {{}}".format)


def read_suite(values: Mapping[str, Any], called: Any = "suite: {}".format) -> SuiteSettings:
    """A checked suite of its keys and values.

    Raises:
        InvalidSetting: one line naming the first key that is unknown or wrong.
    """
    return check(SuiteSettings, values, called)
