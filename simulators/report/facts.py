"""A game's exact facts as words and small tables."""

from dataclasses import dataclass

import numpy as np

from simulators.report.content import GameFacts
from simulators.report.formats import MISSING, count, flat_settings, number

MAX_GAMES = 4
MAX_ACTIONS = 12
MAX_MATRIX = 12


@dataclass(frozen=True)
class MatrixCell:
    """One win probability; ``lean`` is -1 (always loses) to 1 (always wins)."""

    text: str
    lean: float


@dataclass(frozen=True)
class GameCard:
    """What the report says of a game.

    Attributes:
        name: of the game.
        description: one sentence, or "".
        facts: (name, value).
        headings: of the table of policies.
        policies: (action, probability, ...) for the actions that some policy plays most.
        hidden: actions that the table leaves out.
        labels: of the matrix.
        matrix: win probabilities, row beats column; empty when it is too large to show.
    """

    name: str
    description: str
    facts: tuple[tuple[str, str], ...]
    headings: tuple[str, ...]
    policies: tuple[tuple[str, ...], ...]
    hidden: int
    labels: tuple[str, ...]
    matrix: tuple[tuple[MatrixCell, ...], ...]


def game_card(game: GameFacts) -> GameCard:
    """The card of a game."""
    size = len(game.actions)
    facts = [("actions", count(size))]
    if game.contexts > 1:
        facts.append(("contexts", count(game.contexts)))
    if game.players > 2:
        facts.append(("players", f"{game.players}, one against many"))
    said = {name for name, _ in facts}
    facts += flat_settings({k: v for k, v in game.parameters.items() if k not in said})
    facts.append(("Nash equilibrium", _uniqueness(game)))
    if game.cyclic_share is not None:
        facts.append(("cyclic share", f"{number(game.cyclic_share)} (0 transitive, 1 cyclic)"))
    if game.cyclic_triples is not None:
        facts.append(("cyclic triples", count(game.cyclic_triples)))
    if game.regularized_equilibrium is not None:
        facts.append(("regularised equilibrium", f"at temperature {game.temperature:g}, unique"))
    headings, columns = _policies(game)
    shown = _leading(columns, size)
    return GameCard(
        name=game.name,
        description=game.description,
        facts=tuple(facts),
        headings=headings,
        policies=tuple(
            (str(game.actions[i]), *(number(column[i]) for column in columns)) for i in shown
        ),
        hidden=size - len(shown) if columns else 0,
        labels=tuple(map(str, game.actions)),
        matrix=_matrix(game),
    )


def _uniqueness(game: GameFacts) -> str:
    if game.nash is None:
        return "not computed" if game.contexts == 1 else "one game a context: not shown"
    support = int((np.asarray(game.nash) > 1e-9).sum())
    played = f"plays {support} of {len(game.actions)} actions"
    if game.nash_unique is None:
        return played
    if game.nash_unique:
        return f"unique, {played}"
    return f"not unique; the one of largest entropy {played}"


def _policies(game: GameFacts) -> tuple[tuple[str, ...], list[np.ndarray]]:
    named = (
        ("reference", game.reference if np.ndim(game.reference) == 1 else None),
        ("Nash", game.nash),
        (f"regularised, τ = {game.temperature:g}", game.regularized_equilibrium),
    )
    given = [(name, np.asarray(policy)) for name, policy in named if policy is not None]
    return ("action", *(name for name, _ in given)), [policy for _, policy in given]


def _leading(columns: list[np.ndarray], size: int) -> list[int]:
    if not columns:
        return []
    if size <= MAX_ACTIONS:
        return list(range(size))
    weight = np.max(columns[1:] or columns, axis=0)
    return sorted(int(i) for i in np.argsort(-weight, kind="stable")[:MAX_ACTIONS])


def _matrix(game: GameFacts) -> tuple[tuple[MatrixCell, ...], ...]:
    if game.preferences is None or not 2 <= len(game.actions) <= MAX_MATRIX:
        return ()
    return tuple(
        tuple(
            MatrixCell(MISSING, 0.0) if np.isnan(p) else MatrixCell(f"{p:.2f}", 2 * float(p) - 1)
            for p in row
        )
        for row in np.asarray(game.preferences, dtype=np.float64)
    )
