"""Which policies are the same: of training runs that differ by seeds, and of evaluations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leaderboards.collect.names import START
from leaderboards.collect.opening import Opened
from leaderboards.collect.rows import Row
from mnpo.errors import DamagedRun
from mnpo.runs.files import digest
from mnpo.training.resuming import what_counts

#: Of a training run's tidy table: a row about all policies together.
WHOLE_POOL = "(pool)"


@dataclass(frozen=True)
class Policy:
    """One policy, one seed.

    Attributes:
        group: of its training runs, unique; "" for a model from elsewhere.
        algorithm: method, or the model's name.
        iteration: after which; None where unknown.
        seed: None where it has none.
        mark: tells models from elsewhere apart that have one name: a hash of them; else "".
    """

    group: str
    algorithm: str
    iteration: int | None
    seed: int | None
    mark: str = ""


@dataclass(frozen=True, eq=False)
class Training:
    """A training run that was read.

    Attributes:
        opened: the run.
        key: on the board.
        rows: of its tidy table.
    """

    opened: Opened
    key: str
    rows: Sequence[Row]

    @property
    def start(self) -> str:
        """Hash of the policy that all were trained from."""
        return str(self.opened.manifest.get("start", ""))

    @property
    def recipe(self) -> str:
        """Hash of all that the policies depend on but their seeds."""
        config: Mapping[str, Any] = what_counts(dict(self.opened.config))
        kept = {k: v for k, v in config.items() if k not in ("seeds", "recipe")}
        files = self.opened.manifest.get("data", {}).get("hashes", {})
        return digest([kept, self.start, sorted(map(str, files.values()))])

    @property
    def policies(self) -> dict[tuple[str, int, int | None], str]:
        """(algorithm, seed, iteration) -> hash."""
        return {
            (row.algorithm, row.seed, row.iteration): row.hashes["policy"]
            for row in self.rows
            if row.seed is not None and "policy" in row.hashes
        }


@dataclass(frozen=True)
class Group:
    """Training runs that count as one.

    Attributes:
        name: for people: the recipe's, and the beginning of its hash, e.g. "tiny-3f2a".
        origin: key of the first of its runs on the board; "" where none of them was given.
    """

    name: str
    origin: str = ""


@dataclass
class Policies:
    """Finds out which policy a row is about.

    Attributes:
        groups: by their unique key.
        notes: what was counted as one, or could not be.
    """

    groups: dict[str, Group] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _group_of_run: dict[str, str] = field(default_factory=dict)
    _trained: dict[tuple[str, str, int], tuple[str, int | None]] = field(default_factory=dict)
    _starts: set[str] = field(default_factory=set)
    _units: dict[tuple[str, str], str] = field(default_factory=dict)
    _held: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    _evaluated_in: dict[str, list[str]] = field(default_factory=dict)

    def group_of(self, run: str) -> str:
        """What a training run counts as, by its key on the board."""
        return self._group_of_run[run]

    def trained(self, row: Row) -> Policy:
        """Whose figure a row of a training run's table is."""
        if row.seed is None and row.algorithm == START:
            return Policy("", START, 0, None, row.hashes.get("policy", ""))
        group = self._group_of_run[row.source.run]
        return Policy(group, row.algorithm, row.iteration, row.seed)

    def evaluated(self, row: Row, home: str) -> Policy:
        """Whose figure a row of an evaluation's table is.

        Args:
            row: the row.
            home: the training run that the policy lies in, as the evaluation names it; see
                `introduce`.
        """
        sha256 = row.hashes.get("policy", "")
        if row.seed is None:
            if sha256 and row.algorithm.rpartition("/")[2] == START:
                return Policy("", START, 0 if sha256 in self._starts else None, None, sha256)
            mark = sha256 or row.hashes.get("endpoint", "")
            return Policy("", row.algorithm, None, None, mark)
        known = self._trained.get((sha256, row.algorithm, row.seed))
        if known is not None:
            return Policy(known[0], row.algorithm, known[1], row.seed)
        return Policy(self._units[row.source.run, home], row.algorithm, None, row.seed)

    def introduce(self, evaluation: str, found: Sequence[tuple[Row, str]]) -> None:
        """Take up the policies of an evaluation before `evaluated` is asked about them.

        Where none of the training runs that were given made them, only the evaluation itself says
        which are seeds of one method: a folder's name, which another experiment may have too. So
        they stand for themselves, with those of another evaluation only if both hold one and the
        same policy.

        Args:
            evaluation: its key on the board.
            found: a row of each policy, and the training run that it lies in.

        Raises:
            DamagedRun: it has two policies of one method and seed.
        """
        by_home: dict[str, dict[tuple[str, int], str]] = {}
        runs: dict[str, str] = {}
        for row, home in found:
            sha256 = row.hashes.get("policy", "")
            if row.seed is None or (sha256, row.algorithm, row.seed) in self._trained:
                continue
            runs[home] = row.run
            own = by_home.setdefault(home, {})
            if own.setdefault((row.algorithm, row.seed), sha256) != sha256:
                raise DamagedRun(
                    f"{evaluation}: it evaluated two policies called {row.algorithm}, seed "
                    f"{row.seed}, of one training run {row.run}"
                )
        for home, own in by_home.items():
            group = self._with_some_of(own) or f"?{evaluation}/{home}"
            self.groups.setdefault(group, Group(runs[home]))
            self._units[evaluation, home] = group
            self._held.setdefault(group, {}).update(own)
            self._evaluated_in.setdefault(group, []).append(evaluation)

    def tell_apart(self) -> list[str]:
        """Have policies of training runs of one name, known to no run that was given, say so.

        Returns:
            a note for each such name.
        """
        by_name: dict[str, list[str]] = {}
        for group in self._held:
            by_name.setdefault(self.groups[group].name, []).append(group)
        notes = []
        for name, groups in sorted(by_name.items()):
            if len(groups) < 2:
                continue
            places = sorted(self._evaluated_in[group][0] for group in groups)
            notes.append(
                f"{' and '.join(places)} evaluated policies of a training run called {name}, and "
                "nothing shows that it is the same one: they have rows of their own; give the "
                "training runs too, whose hashes tell"
            )
            for group in groups:
                evaluated = self._evaluated_in[group][0]
                self.groups[group] = Group(f"{name}, evaluated in {evaluated}")
        return notes

    def _with_some_of(self, own: Mapping[tuple[str, int], str]) -> str | None:
        """A group that has one of these policies and no other one in its place."""
        for group, held in self._held.items():
            common = [held[place] == sha256 for place, sha256 in own.items() if place in held]
            if common and all(common) and any(own.values()):
                return group
        return None


def find_policies(trainings: Sequence[Training]) -> Policies:
    """Group training runs.

    Runs whose recipes agree but for their seeds count as one, unless two of them hold the same
    method and seed and other policies: then every run stands for itself.
    """
    found = Policies()
    by_recipe: dict[str, list[Training]] = {}
    for own in trainings:
        by_recipe.setdefault(own.recipe, []).append(own)
        found._starts.add(own.start)
    for recipe, members in sorted(by_recipe.items()):
        members = sorted(members, key=lambda own: own.key)
        name = f"{members[0].opened.config.get('recipe') or 'recipe'}-{recipe[:4]}"
        keys = [own.key for own in members]
        if _agree(members):
            parts = [(recipe, name, members)]
            if len(members) > 1:
                found.notes.append(_counted_as_one(members, name))
        else:
            parts = [(f"{recipe}/{own.key}", f"{name}, {own.key}", [own]) for own in members]
            found.notes.append(
                f"{' and '.join(keys)} trained the same recipe and seed to other policies: they "
                "have rows of their own"
            )
        for key, called, runs in parts:
            found.groups[key] = Group(called, runs[0].key)
            for own in runs:
                found._group_of_run[own.key] = key
                for (algorithm, seed, iteration), sha256 in own.policies.items():
                    place = (sha256, algorithm, seed)
                    found._trained.setdefault(place, (key, iteration))
    return found


def _counted_as_one(members: Sequence[Training], name: str) -> str:
    keys = " and ".join(own.key for own in members)
    held = [set(own.policies) for own in members]
    if all(own == held[0] for own in held):
        return f"{keys} hold the same policies: counted once ({name})"
    common = sum(map(len, held)) - len(set().union(*held))
    twice = f"; {common} policies that are there twice are counted once" if common else ""
    return f"{keys} are one recipe with other seeds, and count as one training run ({name}){twice}"


def _agree(members: Sequence[Training]) -> bool:
    """Whether no method and seed has two policies."""
    seen: dict[tuple[str, int, int | None], str] = {}
    return all(
        seen.setdefault(place, sha256) == sha256
        for own in members
        for place, sha256 in own.policies.items()
    )
