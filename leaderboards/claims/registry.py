"""All claims, in the order in which they are told."""

from collections.abc import Sequence

from leaderboards.claims import (
    annotators,
    critics,
    history,
    last_iterate,
    opponents,
    pair_losses,
    players,
    reductions,
    regret,
    table_one_logistic,
    table_one_squared,
)
from leaderboards.claims.claim import Claim
from mnpo.errors import InvalidSetting, suggest

CLAIMS: tuple[Claim, ...] = (
    *reductions.CLAIMS,
    *pair_losses.CLAIMS,
    *table_one_logistic.CLAIMS,
    *table_one_squared.CLAIMS,
    *regret.CLAIMS,
    *last_iterate.CLAIMS,
    *history.CLAIMS,
    *players.CLAIMS,
    *opponents.CLAIMS,
    *annotators.CLAIMS,
    *critics.CLAIMS,
)


def find_claims(names: Sequence[str]) -> tuple[Claim, ...]:
    """The claims of these names, in the order of `CLAIMS`; all of them for no name.

    Raises:
        InvalidSetting: an unknown name (the nearest is suggested), or one given twice.
    """
    known = {claim.name: claim for claim in CLAIMS}
    for name in names:
        if name not in known:
            raise InvalidSetting(f"unknown claim '{name}'{suggest(name, known)}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise InvalidSetting(f"claim '{twice}' is given twice")
    return tuple(claim for claim in CLAIMS if not names or claim.name in names)
