"""What a board says about its own figures, as far as a comparison needs it.

Of a training run's ``facts`` it reads ``model`` (the base model, by name, or ``{"name": ...}``),
``methods`` (as in run.yaml, for ``num_players``) and ``annotator`` (who labelled the training
pairs, one line). What is not there is unknown, and said to be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leaderboards.board import Board, Column, Entry, Figure, Run, Section
from mnpo.errors import InvalidSetting

UNKNOWN = "unknown"
#: The policy that training starts from.
START = "sft"


@dataclass(frozen=True)
class Measured:
    """One of our figures.

    Attributes:
        section, column, entry, figure: where it stands.
        method: of the entry, by the name on the command line; the model's name for others.
        base: the model that was trained; "unknown" where nothing says so. For a model from
            elsewhere its own name.
        trained: whether the entry is a method's policy, or the policy that training starts from.
        players: of a multiplayer method; None where unknown.
        annotator: who labelled the training pairs; "unknown" where nothing says so.
    """

    section: Section
    column: Column
    entry: Entry
    figure: Figure
    method: str
    base: str
    trained: bool
    players: int | None
    annotator: str


def measured(board: Board) -> Iterator[Measured]:
    """Every figure of models on a board, in order; simulations have no counterpart in a paper."""
    runs = {run.key: run for run in board.runs}
    bases = {_model(run) for run in board.runs if run.kind == "training"}
    start = bases.pop() if len(bases) == 1 else UNKNOWN
    for section in board.sections:
        if section.kind == "simulator":
            continue
        for entry in section.entries:
            run = runs.get(entry.origin)
            method = _method(entry.algorithm)
            trained = bool(entry.origin) or method == START
            base = _model(run) if run is not None else start if trained else entry.algorithm
            facts: Mapping[str, Any] = {} if run is None else run.facts
            for column in section.columns:
                if column.key in entry.figures:
                    yield Measured(
                        section=section,
                        column=column,
                        entry=entry,
                        figure=entry.figures[column.key],
                        method=method,
                        base=base,
                        trained=trained,
                        players=_players(facts, method),
                        annotator=str(facts.get("annotator") or UNKNOWN),
                    )


def _method(name: str) -> str:
    """The registered spelling, of a player that of its method; any other name as it is."""
    from mnpo.algorithms.registry import find_entry

    method = name.partition("/player-")[0]
    try:
        return find_entry(method).name
    except InvalidSetting:
        return method


def _model(run: Run) -> str:
    found = run.facts.get("model")
    if isinstance(found, Mapping):
        found = found.get("name")
    return str(found) if found else UNKNOWN


def _players(facts: Mapping[str, Any], method: str) -> int | None:
    methods = facts.get("methods")
    own = methods.get(method) if isinstance(methods, Mapping) else None
    found = own.get("num_players") if isinstance(own, Mapping) else None
    return found if isinstance(found, int) else None
