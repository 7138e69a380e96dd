"""Calls without a value: counted by reason, and refused unless that is allowed."""

from collections import Counter
from collections.abc import Sequence

from evaluation.gaps import Gap, by_reason, reason_notes, require_whole
from mnpo.judging.calls import Call, Outcome


def missing_notes(
    asked: Sequence[tuple[Call, Outcome]], allow_missing: bool, name: str
) -> tuple[str, ...]:
    """Why verdicts are missing, in a few lines.

    Raises:
        UserError: some are and that is not allowed: how many, and which for example.
    """
    without = [
        (call.item, outcome.missing or "not asked")
        for call, outcome in asked
        if outcome.value is None
    ]
    gap = Gap(name, "verdicts", by_reason(without), len(asked))
    require_whole([gap], allow_missing, "evaluate again to ask for them")
    return reason_notes(Counter(why for _, why in without), "verdicts")
