"""The errors a user can cause, each one line: what is wrong, where, what to do.

This is a leaf module: it imports nothing of the project and anything may import it.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Input that the suite refuses. The command line prints the message and exits with code 2."""


class InvalidSetting(UserError):
    """An option, parameter or hyper-parameter with an unknown name or an impossible value."""


class InvalidGame(UserError):
    """A preference matrix or game file that cannot be read as a game."""


class InvalidPolicy(UserError):
    """A policy (reference, initial, external) that is not a distribution of the right length."""


class NoMinimiser(UserError):
    """The loss has no finite minimiser on this game, so the method has no next policy.

    Attributes:
        iteration: the iteration whose update failed, once a run has noted it.
    """

    iteration: int = 0


class DiskFull(UserError):
    """There is no room to write on. It ends the whole run: nothing else could be written either."""


class DamagedRun(UserError):
    """A run directory whose files do not match what its manifest says."""


def suggest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known name, else the list of known names."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(names)}"
