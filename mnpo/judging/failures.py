"""Why a call has no answer, and why asking ended."""

from mnpo.errors import UserError
from mnpo.judging.calls import JudgeFailure
from mnpo.judging.report import AskReport

#: Reasons that calls are missing for, as reports count them.
INVALID = "invalid reply"
REFUSED = "refused request"
FAILED = "failed request"
BUDGET = "budget"
NOT_ASKED = "not asked"

RESUME = "answers so far are kept: run the same command again to go on"


class JudgeRefusal(JudgeFailure):
    """The server refuses this one request, and would again: the next call may do better."""


class AskingStopped(UserError):
    """Asking ended before the last call: the judge is down, or a first failure was enough.

    Attributes:
        report: what came by then; all of it is kept.
        item: of the call that ended it.
        why: what happened to that call.
    """

    def __init__(self, message: str, report: AskReport, item: str, why: str) -> None:
        super().__init__(message)
        self.report = report
        self.item = item
        self.why = why
