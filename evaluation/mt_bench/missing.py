"""Calls without a value: counted by reason, and refused unless that is allowed."""

from collections import Counter
from collections.abc import Sequence

from evaluation.mt_bench.completeness import NAMED
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Outcome


def missing_notes(
    asked: Sequence[tuple[Call, Outcome]], allow_missing: bool, name: str
) -> tuple[str, ...]:
    """A line for each reason why verdicts are missing.

    Raises:
        UserError: some are and that is not allowed: how many, and which for example.
    """
    without = [(call, outcome) for call, outcome in asked if outcome.value is None]
    if without and not allow_missing:
        first = without[0][1].missing or "not asked"
        items = ", ".join(call.item for call, _ in without[:NAMED])
        more = f" and {len(without) - NAMED} more" if len(without) > NAMED else ""
        raise UserError(
            f"{name}: {len(without)} of {len(asked)} verdicts are missing ({items}{more}; the "
            f"first: {first}); evaluate again to ask for them, or score "
            "what there is with --allow-missing"
        )
    reasons = Counter(outcome.missing or "not asked" for _, outcome in without)
    return tuple(f"{count} verdicts missing: {why}" for why, count in sorted(reasons.items()))
