"""The requests of one call, reserved before they are sent and booked when they end.

The executor reserves a call's first request, and books it with the reply's usage. A judge that
repeats requests inside one call finds the call's meter here, tells it about each one that failed,
and asks before it sends another::

    await current_meter().begin()   # may raise BudgetUsedUp: let it pass
    ...
    current_meter().failed("status 503", billed=False)
"""

from contextvars import ContextVar

from mnpo.judging.budget import Bound, Budget
from mnpo.judging.calls import Usage
from mnpo.judging.spend import Ledger


class Meter:
    """Of one call; at most one request is open at a time.

    Args:
        ledger: what was spent.
        budget: what may be.
        bound: of each request of this call.
    """

    def __init__(self, ledger: Ledger, budget: Budget, bound: Bound) -> None:
        self._ledger, self._budget, self._bound = ledger, budget, bound
        self._open: int | None = None

    async def begin(self) -> None:
        """Reserve the next request, unless one is reserved already.

        Raises:
            BudgetUsedUp: it must not be sent.
        """
        if self._open is None:
            self._open = await self._budget.reserve(self._ledger.worst(self._bound) or 0.0)
            self._ledger.requests += 1

    def failed(self, kind: str, *, billed: bool, sent: bool = True) -> None:
        """The open request ended without a usable response.

        Args:
            kind: of failure, as reports count it.
            billed: whether the server may charge for it all the same.
            sent: False where it never reached a server.
        """
        self._ledger.faults[kind] += 1
        self._end(None, billed=billed and sent, sent=sent)

    def answered(self, usage: Usage | None) -> None:
        """The open request ended with a reply."""
        self._end(usage, billed=True, sent=True)

    def close(self) -> None:
        """No more requests; one still open was broken off, and may be billed."""
        if self._open is not None:
            self.failed("broken off", billed=True)

    def _end(self, usage: Usage | None, *, billed: bool, sent: bool) -> None:
        if self._open is None:
            return
        number, self._open = self._open, None
        self._ledger.requests -= not sent
        if usage is not None:
            cost = self._ledger.reported(usage)
        else:
            cost = self._ledger.unknown(self._bound) if billed else 0.0
        self._budget.settle(number, cost, sent=sent)


class _NoMeter(Meter):
    """Of a call outside an executor: nothing is counted."""

    def __init__(self) -> None:
        super().__init__(Ledger(None), Budget(), Bound(0, 0))

    async def begin(self) -> None:
        """Never refused."""

    def failed(self, kind: str, *, billed: bool, sent: bool = True) -> None:
        """Not counted."""


METER: ContextVar[Meter | None] = ContextVar("METER", default=None)


def current_meter() -> Meter:
    """The meter of the call that is being answered."""
    return METER.get() or _NoMeter()
