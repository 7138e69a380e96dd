"""Asks a judge: bounded, each question once, nothing invented, nothing lost."""

import asyncio
import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack

from mnpo.errors import InvalidSetting
from mnpo.judging.asking import Asking, Halt, Means
from mnpo.judging.budget import Budget, Price
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Call, Judge, Outcome
from mnpo.judging.failures import NOT_ASKED, RESUME, AskingStopped
from mnpo.judging.keys import Keys
from mnpo.judging.limits import Limits
from mnpo.judging.report import AskReport, Listener, Tally
from mnpo.judging.spend import Ledger, Spend


class Executor:
    """One judge, one store of answers.

    A call whose answer is stored costs nothing. Any other is asked; a reply that breaks its
    contract is asked again, up to the limit, and then the call is missing. Valid answers are
    stored as they come. What is missing is asked again by the next `ask` that contains it.

    Args:
        judge: who answers; opened only when something is to be asked.
        cache: where valid answers are.
        limits: concurrency, re-asks, when to give up.
        budget: shared with other executors of the same event loop; None is no limit.
        price: the judge's; None counts tokens and no dollars.
        listen: told after every call.

    Attributes:
        spend: of all that this executor has asked.

    Raises:
        InvalidSetting: a budget in dollars without a price.
    """

    def __init__(
        self,
        judge: Judge,
        cache: AnswerCache,
        *,
        limits: Limits | None = None,
        budget: Budget | None = None,
        price: Price | None = None,
        listen: Listener | None = None,
    ) -> None:
        if budget is not None and budget.max_cost is not None and price is None:
            raise InvalidSetting(
                f"a budget in dollars needs the price of judge '{judge.name}': set its price_input "
                "and price_output (dollars for a million tokens; 0 where it costs nothing)"
            )
        self.judge, self.cache = judge, cache
        self.limits = limits or Limits()
        self.budget = budget or Budget()
        self.price, self.listen = price, listen
        self.spend = Spend()
        self._keys = Keys(judge)
        #: Why calls are missing that were asked in vain; one line each.
        self._missing: dict[str, str] = {}
        self._stopped = ""

    def key(self, call: Call) -> str:
        """What the call's answer is stored under."""
        return self._keys.key(call)

    def outcome(self, call: Call) -> Outcome:
        """What became of a call: the stored answer, or why there is none."""
        key = self.key(call)
        answer = self.cache.get(key)
        if answer is not None:
            return Outcome(answer.value, reply=answer.reply, usage=answer.usage)
        return Outcome(None, missing=self._missing.get(key) or self._stopped or NOT_ASKED)

    def ask(self, calls: Iterable[Call]) -> AskReport:
        """`ask_async` in an event loop of its own."""
        return asyncio.run(self.ask_async(calls))

    async def ask_async(self, calls: Iterable[Call]) -> AskReport:
        """Get an answer to every call that has none.

        The calls are read as there is room for them, never all at once. When the budget is used
        up the rest is looked up only and counted as missing; requests in flight are waited for.

        Raises:
            AskingStopped: the judge is down, too many calls in a row failed, or the first failure
                was enough by the limits. What came by then is stored.
            UserError: the store cannot be read or written, or the judge not opened.
        """
        began = time.monotonic()
        tally = Tally(Ledger(self.price))
        means = Means(self.judge, self.cache, self._keys, self.limits, self.budget, self.listen)
        asking = Asking(means, tally, self._missing)
        self._stopped = ""
        halt: Halt | None = None
        try:
            source = iter(calls)
            first = next((call for call in source if not asking.known(call)), None)
            if first is not None:
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(self.judge)
                    await self._work(asking, itertools.chain([first], source))
        except Halt as error:
            halt = error
        finally:
            seconds = time.monotonic() - began
            self._stopped = str(halt) if halt else asking.stopped
            report = tally.report(seconds, self._stopped)
            self.spend += report.spend
        if halt is None:
            return report
        raise AskingStopped(f"{halt}; {RESUME}", report, halt.item, halt.why)

    async def _work(self, asking: Asking, calls: Iterable[Call]) -> None:
        """One worker more with each call that is taken, so that a short list needs few."""

        def taken() -> Iterator[Call]:
            more = self.limits.concurrency - 1
            for call in calls:
                if more:
                    more -= 1
                    workers.create_task(asking.work(source))
                yield call

        source, first = taken(), None
        try:
            async with asyncio.TaskGroup() as workers:
                workers.create_task(asking.work(source))
        except BaseExceptionGroup as errors:  # the first ended the others
            first = errors.exceptions[0]
        if first is not None:
            raise first
