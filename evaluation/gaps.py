"""What is missing, and the one way in which every benchmark says so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mnpo.errors import UserError

#: As many are named of each reason, and as many reasons and models.
NAMED = 3
ALLOW = "--allow-missing scores without them"


@dataclass(frozen=True)
class Gap:
    """What one model lacks.

    Attributes:
        whose: the model, judge or file.
        what: is missing, in the plural: "annotations".
        missing: by reason: which ("question 81 turn 1"), or only how many where nobody knows
            which. A reason may be "" where there is nothing to say.
        of: how many there should be; None where that is not counted.
    """

    whose: str
    what: str
    missing: Mapping[str, Sequence[str] | int]
    of: int | None = None

    @property
    def count(self) -> int:
        """How many are missing."""
        return sum(own if isinstance(own, int) else len(own) for own in self.missing.values())

    def __str__(self) -> str:
        """E.g. "model-x: 2 of 805 annotations are missing: instruction 17 (no row), ..."."""
        reasons = [(why, own) for why, own in self.missing.items() if own]  # 0 and () say nothing
        some = [_listed(own) + (f" ({why})" if why else "") for why, own in reasons[:NAMED]]
        rest = Gap("", "", dict(reasons[NAMED:])).count
        some += [f"{rest} for other reasons"] if rest else []
        of = "" if self.of is None else f" of {self.of}"
        return f"{self.whose}: {self.count}{of} {self.what} are missing: {', '.join(some)}"


def require_whole(gaps: Iterable[Gap], allow_missing: bool, remedy: str = "") -> None:
    """Nothing, or a refusal of gaps that were not allowed.

    Args:
        gaps: of every model; those with nothing missing are passed over.
        allow_missing: do not refuse.
        remedy: what else than allowing them would help.

    Raises:
        UserError: of the first models: how many are missing, which, why; and what to do.
    """
    lacking = [gap for gap in gaps if gap.count]
    if lacking and not allow_missing:
        raise UserError(complaint(lacking, remedy))


def complaint(gaps: Sequence[Gap], remedy: str = "", *, advice: str = ALLOW) -> str:
    """One line on models that lack something.

    Args:
        gaps: none of them empty.
        remedy: what else would help.
        advice: the last part; "" where nothing could be scored without them.
    """
    parts = [str(gap) for gap in gaps[:NAMED]]
    if len(gaps) > NAMED:
        parts.append(f"others that lack some: {len(gaps) - NAMED}")
    return "; ".join([*parts, *filter(None, (remedy, advice))])


def by_reason(missing: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(which, why) pairs, gathered by why."""
    found: dict[str, list[str]] = {}
    for which, why in missing:
        found.setdefault(why, []).append(which)
    return found


def _listed(own: Sequence[str] | int) -> str:
    if isinstance(own, int):
        return str(own)
    more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
    return ", ".join(f"{name:.60}" for name in own[:NAMED]) + more


def reason_notes(reasons: Mapping[str, int], what: str) -> tuple[str, ...]:
    """A line for each of the commonest reasons, and one for all others.

    Args:
        reasons: how many are missing, by why.
        what: is missing, in the plural: "verdicts".
    """
    order = sorted(reasons.items(), key=lambda own: (-own[1], own[0]))
    notes = [f"{what} missing: {count} ({why})" for why, count in order[:NAMED]]
    if rest := order[NAMED:]:
        total = sum(count for _, count in rest)
        notes.append(f"{what} missing: {total} for {len(rest)} other reasons")
    return tuple(notes)
