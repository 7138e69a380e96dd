"""The instructions and the baseline's answers."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evaluation.records import Question, spread
from evaluation.rows import Row, read_rows
from mnpo.errors import UserError


@dataclass(frozen=True)
class Prompt:
    """One instruction.

    Attributes:
        index: its place in the official order.
        instruction: text.
        dataset: where it comes from, "" where the file does not say.
        baseline: the baseline's answer.
    """

    index: int
    instruction: str
    dataset: str
    baseline: str

    def question(self) -> Question:
        """What models are asked."""
        return Question(str(self.index), (self.instruction,), self.dataset)


@dataclass(frozen=True, eq=False)
class Reference:
    """Instructions with the answers that models are compared with.

    Attributes:
        generator: name of the baseline.
        prompts: those that are scored, in the official order.
        total: how many the file has.
    """

    generator: str
    prompts: tuple[Prompt, ...]
    total: int

    @cached_property
    def by_index(self) -> dict[int, Prompt]:
        """Prompts by their place in the official order."""
        return {own.index: own for own in self.prompts}

    @cached_property
    def by_text(self) -> dict[str, Prompt]:
        """Prompts by their text."""
        return {own.instruction: own for own in self.prompts}

    def limited(self, limit: int | None) -> "Reference":
        """Some of the prompts, evenly spread over the order, since it is sorted by dataset.

        Raises:
            InvalidSetting: a limit below 1.
        """
        return Reference(self.generator, spread(self.prompts, limit), self.total)

    def only(self, questions: Collection[str]) -> "Reference":
        """These of the prompts, by question id."""
        chosen = (own for own in self.prompts if own.question().id in questions)
        return Reference(self.generator, tuple(chosen), self.total)


def read_reference(path: Path) -> Reference:
    """Read the baseline's outputs (``instruction``, ``output``, ``generator``, ``dataset``).

    The order of the file is the official one, or that of its column ``index``.

    Raises:
        UserError: the file cannot be read, a field is missing, an instruction or index is there
            twice, indices have gaps, or there are two baselines.
    """
    prompts: dict[int, Prompt] = {}
    places: dict[str, str] = {}
    names: dict[str, str] = {}
    for position, row in enumerate(read_rows(path)):
        index = index_of(row)
        own = position if index is None else index
        instruction = row.text("instruction")
        for before in (places.get(instruction), places.get(f"#{own}")):
            if before is not None:
                raise UserError(f"{row.where}: the same instruction or index as {before}")
        places[instruction] = places[f"#{own}"] = row.where
        dataset = str(row.values.get("dataset") or "")
        prompts[own] = Prompt(own, instruction, dataset, row.text("output"))
        names.setdefault(row.text("generator"), row.where)
    if not prompts:
        raise UserError(f"{path}: holds no rows")
    if len(names) > 1:
        (first, _), (second, where), *_ = names.items()
        raise UserError(f"{where}: is of '{second}', those before of '{first}': one baseline only")
    if sorted(prompts) != list(range(len(prompts))):
        gap = next(k for k in range(len(prompts)) if k not in prompts)
        raise UserError(f"{path}: has no row with index {gap}")
    ordered = tuple(prompts[k] for k in range(len(prompts)))
    return Reference(next(iter(names)), ordered, len(ordered))


def index_of(row: Row) -> int | None:
    """The row's ``index``, None where it has none.

    Raises:
        UserError: it is no whole number.
    """
    found = row.values.get("index")
    if found is None or found == "":
        return None
    try:
        if isinstance(found, bool) or int(found) != float(found):
            raise ValueError
        return int(found)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{row.where}: index must be a whole number, got {found!r:.120}") from None
