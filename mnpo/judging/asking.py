"""One pass over a list of calls: workers that share it, and what ends it."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from mnpo.errors import InvalidSetting
from mnpo.judging.budget import Budget, BudgetUsedUp, bound
from mnpo.judging.cache import Answer, AnswerCache
from mnpo.judging.calls import Call, InvalidReply, Judge, JudgeDown, JudgeFailure, Reply
from mnpo.judging.failures import (
    BUDGET,
    FAILED,
    INVALID,
    NOT_ASKED,
    REFUSED,
    JudgeRefusal,
)
from mnpo.judging.keys import Keys
from mnpo.judging.limits import Limits
from mnpo.judging.meter import METER, Meter
from mnpo.judging.report import Listener, Tally

#: Characters of a reason that are kept for a missing call.
_WIDTH = 300


class Halt(Exception):
    """Ends the pass; its text says why."""

    def __init__(self, message: str, item: str, why: str) -> None:
        super().__init__(message)
        self.item, self.why = item, why


class _Missing(Exception):
    """A call has no answer: reason, what happened."""


@dataclass(frozen=True)
class Means:
    """Whom to ask, where answers are, and within which bounds; see `Executor`."""

    judge: Judge
    cache: AnswerCache
    keys: Keys
    limits: Limits
    budget: Budget
    listen: Listener | None


class Asking:
    """State of one pass.

    Args:
        means: whose judge, store and limits.
        tally: counts.
        missing: why a call is missing, by key; shared between passes.

    Attributes:
        stopped: why nothing more is sent although calls are still looked up; "" before that.
    """

    def __init__(self, means: Means, tally: Tally, missing: dict[str, str]) -> None:
        self._means, self._tally, self._missing = means, tally, missing
        self.stopped = ""
        #: Calls that are being asked: what becomes of them, as (reason, what happened).
        self._flying: dict[str, asyncio.Future[tuple[str, str]]] = {}
        self._in_vain: dict[str, str] = {}
        self._failed_in_a_row = 0
        self._heard = False

    def known(self, call: Call) -> bool:
        """Whether the call's answer is stored; counted then."""
        if self._means.keys.key(call) not in self._means.cache:
            return False
        self._tally.cached += 1
        self._tell()
        return True

    async def work(self, calls: Iterator[Call]) -> None:
        """Take calls until there are none; several of these share one iterator.

        Raises:
            Halt: the pass is to end now.
        """
        for call in calls:
            key = self._means.keys.key(call)
            if key in self._means.cache:
                self._tally.cached += 1
                await asyncio.sleep(0)  # a long stretch of known ones must not starve the others
            elif key in self._in_vain:
                self._tally.miss(call.item, self._in_vain[key], self._missing[key])
            elif key in self._flying:
                await self._follow(call, key)
            elif self.stopped:
                self._tally.miss(call.item, BUDGET, self.stopped)
                await asyncio.sleep(0)
            else:
                await self._lead(call, key)
            self._tell()

    def _tell(self) -> None:
        if self._means.listen is not None:
            self._means.listen(self._tally.progress())

    async def _follow(self, call: Call, key: str) -> None:
        """The same question is being asked: take what becomes of it."""
        reason, why = await asyncio.shield(self._flying[key])
        if reason:
            self._tally.miss(call.item, reason, why)
        else:
            self._tally.cached += 1

    async def _lead(self, call: Call, key: str) -> None:
        fate: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._flying[key] = fate
        reason, why = NOT_ASKED, "the run ended before it was answered"
        try:
            await self._ask(call, key)
            reason = ""
            self._tally.answered += 1
            self._missing.pop(key, None)
        except BudgetUsedUp as error:
            reason, why = BUDGET, str(error)
            self.stopped = why
        except _Missing as error:
            reason, why = error.args
        finally:
            del self._flying[key]
            if not fate.done():
                fate.set_result((reason, why))
        if reason:
            self._miss(call, key, reason, why)

    def _miss(self, call: Call, key: str, reason: str, why: str) -> None:
        shown = why if len(why) <= _WIDTH else why[: _WIDTH - 3] + "..."
        self._tally.miss(call.item, reason, shown)
        if reason != BUDGET:  # that one is the same for all that follow, and kept once
            self._missing[key] = f"{reason}: {shown}"
            self._in_vain[key] = reason
        judge, limits = f"judge '{self._means.judge.name}'", self._means.limits
        if limits.stop_at_failure:
            raise Halt(f"{judge}, {call.item}: {why}", call.item, why)
        if self._failed_in_a_row >= limits.breaker:
            times = self._failed_in_a_row
            message = f"{judge}: no more is asked after {times} calls without a reply in a row"
            raise Halt(f"{message}, the last about {call.item}: {shown}", call.item, why)

    async def _ask(self, call: Call, key: str) -> None:
        """Store an answer, or raise `_Missing`, `BudgetUsedUp` or `Halt`."""
        means = self._means
        allowed = bound(call, dict(means.judge.parameters(call)))
        if means.budget.max_cost is not None and allowed.completion_tokens is None:
            raise InvalidSetting(
                f"a budget in dollars needs a limit on each reply: set max_tokens of judge "
                f"'{means.judge.name}' ({call.item} is sent without one)"
            )
        why = ""
        for attempt in range(1 + means.limits.re_asks):
            began = time.monotonic()
            meter = Meter(self._tally.ledger, means.budget, allowed)
            reply = await self._request(call, attempt, meter)
            self._failed_in_a_row, self._heard = 0, True
            try:
                if reply.unusable:
                    raise InvalidReply(reply.unusable)
                value = call.contract.read(reply)
            except InvalidReply as error:
                self._tally.invalid += 1
                why = f"{error}: {reply.text[:80]!r}"
                continue
            if value is None:
                raise TypeError(f"contract {call.contract.name} read None out of a reply")
            answer = Answer(value, reply.text, reply.usage)
            seconds = time.monotonic() - began
            means.cache.put(key, answer, call=call, judge=means.judge.name, seconds=seconds)
            return
        replies = f"{1 + means.limits.re_asks} replies without a valid verdict"
        raise _Missing(INVALID, f"{replies}, the last one because {why}")

    async def _request(self, call: Call, attempt: int, meter: Meter) -> Reply:
        token = METER.set(meter)
        try:
            await meter.begin()
            reply = await self._means.judge.answer(call, attempt)
            meter.answered(reply.usage)
            return reply
        except JudgeDown as error:
            self._tally.miss(call.item, FAILED, str(error)[:_WIDTH])
            self._missing[self._means.keys.key(call)] = f"{FAILED}: {str(error)[:_WIDTH]}"
            raise Halt(str(error), call.item, str(error)) from None
        except JudgeRefusal as error:
            # One question that the server does not take says nothing of the next one; if it has
            # taken none so far, it does.
            self._failed_in_a_row += not self._heard
            raise _Missing(REFUSED, str(error)) from None
        except JudgeFailure as error:
            self._failed_in_a_row += 1
            raise _Missing(FAILED, str(error)) from None
        finally:
            meter.close()
            METER.reset(token)
