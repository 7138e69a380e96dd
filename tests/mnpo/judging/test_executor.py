import asyncio
import itertools
from collections import Counter

import pytest

from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.asking import Asking
from mnpo.judging.budget import Budget, Price
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import JudgeDown, JudgeFailure, Reply, Usage
from mnpo.judging.executor import Executor
from mnpo.judging.failures import (
    BUDGET,
    FAILED,
    INVALID,
    NOT_ASKED,
    REFUSED,
    AskingStopped,
    JudgeRefusal,
)
from mnpo.judging.limits import Limits


@pytest.fixture
def build():
    with AnswerCache() as cache:
        yield lambda judge, **options: Executor(judge, cache, **options)


def test_answers_are_stored_and_looked_up(build, scripted, make_call, truth) -> None:
    judge = scripted(lambda call, n: Reply("verdict: B", usage=Usage(10, 2)))
    executor = build(judge)
    call = make_call(1)
    assert executor.outcome(call).missing == NOT_ASKED
    report = executor.ask([call])
    outcome = executor.outcome(call)
    assert (outcome.value, outcome.reply, outcome.usage) == ("B", "verdict: B", Usage(10, 2))
    assert (report.calls, report.answered, report.complete) == (1, 1, True)
    assert (report.spend.prompt_tokens, report.spend.cost) == (10, None)
    again = build(judge).ask([call])
    assert (again.cached, again.answered, again.spend.requests) == (1, 0, 0)


def test_a_judge_is_opened_only_to_be_asked(build, scripted, make_call) -> None:
    judge = scripted()
    executor = build(judge)
    assert executor.ask([]).calls == 0
    assert judge.opened == 0
    executor.ask([make_call(1)])
    executor.ask([make_call(1)])
    assert (judge.opened, judge.closed) == (1, 1)


@pytest.mark.parametrize("pause", [0, 0.005])
def test_the_same_question_is_asked_once(build, scripted, make_call, pause) -> None:
    judge = scripted(pause=pause)
    calls = [make_call(n % 5) for n in range(40)]
    report = build(judge, limits=Limits(16)).ask(calls)
    assert len(judge.asked) == report.answered == 5
    assert report.cached == 35


@pytest.mark.parametrize("pause", [0, 0.005])
def test_the_same_question_is_missing_once_and_counted_each_time(
    build, scripted, make_call, pause
) -> None:
    judge = scripted(lambda call, n: "what?", pause=pause)
    report = build(judge, limits=Limits(4, re_asks=1)).ask([make_call(1) for _ in range(9)])
    assert len(judge.asked) == 2
    assert report.missing == {INVALID: 9}
    assert report.invalid == 2


def test_no_more_than_so_many_at_once_and_never_all_read(build, scripted, make_call) -> None:
    judge = scripted(pause=0.002)
    read = []

    def calls():
        for n in range(200):
            read.append(n)
            assert len(read) - len(judge.asked) <= 9  # as there is room for them
            yield make_call(n)

    build(judge, limits=Limits(8)).ask(calls())
    assert judge.most == 8


def test_an_invalid_reply_is_asked_again_up_to_the_limit(build, scripted, make_call) -> None:
    def script(call, attempt):
        if call.item == "item 1":
            return "verdict: A" if attempt == 2 else "hm"
        return Reply("verdict: A", unusable="it was cut at max_tokens")

    judge = scripted(script)
    executor = build(judge, limits=Limits(re_asks=2))
    report = executor.ask([make_call(1), make_call(2)])
    assert Counter(judge.asked) == Counter((f"item {i}", n) for i in (1, 2) for n in range(3))
    assert executor.outcome(make_call(1)).value == "A"
    missing = executor.outcome(make_call(2))
    assert missing.value is None
    assert missing.missing.startswith("invalid reply: 3 replies without a valid verdict, the last")
    assert (report.invalid, report.missing) == (5, {INVALID: 1})
    assert "item 2" in report.examples[0]


def test_failures_and_refusals_are_told_apart_and_asked_again_next_time(
    build, scripted, make_call
) -> None:
    broken = {"item 1": JudgeFailure("net"), "item 2": JudgeRefusal("status 400")}
    judge = scripted(lambda call, n: broken.get(call.item, "verdict: A"))
    executor = build(judge)
    calls = [make_call(n) for n in range(4)]
    assert executor.ask(calls).missing == {FAILED: 1, REFUSED: 1}
    assert [executor.outcome(call).missing for call in calls[1:3]] == [
        "failed request: net",
        "refused request: status 400",
    ]
    broken.clear()
    report = executor.ask(calls)
    assert (report.cached, report.answered, report.complete) == (2, 2, True)
    assert executor.outcome(calls[1]).value == "A"


def test_the_breaker_counts_only_failures_in_a_row(build, scripted, make_call) -> None:
    failing = itertools.cycle([JudgeFailure("net")] * 4 + ["verdict: A"])
    executor = build(scripted(lambda call, n: next(failing)), limits=Limits(1, breaker=5))
    assert executor.ask(make_call(n) for n in range(50)).missing == {FAILED: 40}
    executor = build(scripted(lambda *_: JudgeFailure("net")), limits=Limits(1, breaker=5))
    with pytest.raises(
        AskingStopped, match=r"after 5 calls without a reply in a row.*net; answers"
    ):
        executor.ask(make_call(n, order="x") for n in range(50))
    assert executor.outcome(make_call(40, order="x")).missing.startswith("judge 'scripted': no")


def test_refusals_trip_the_breaker_only_before_the_first_reply(build, scripted, make_call) -> None:
    def script(call, n):
        return "verdict: A" if call.item == "item 0" else JudgeRefusal("status 400: too long")

    limits = Limits(1, breaker=5)
    assert build(scripted(script), limits=limits).ask(map(make_call, range(20))).answered == 1
    with pytest.raises(AskingStopped):
        build(scripted(script), limits=limits).ask(map(make_call, range(30, 50)))


def test_a_judge_that_is_down_ends_it_at_once(build, scripted, make_call, truth) -> None:
    def script(call, n):
        return JudgeDown("wrong key") if call.item == "item 7" else "verdict: A"

    executor = build(scripted(script), limits=Limits(1))
    with pytest.raises(AskingStopped, match="wrong key; answers so far are kept") as caught:
        executor.ask(map(make_call, range(20)))
    report = caught.value.report
    assert (report.answered, report.missing) == (7, {FAILED: 1})
    assert executor.outcome(make_call(6)).value == "A"
    assert executor.outcome(make_call(19)).missing == "wrong key"


@pytest.mark.parametrize("bad", ["what?", JudgeFailure("net"), JudgeRefusal("no")])
def test_stop_at_failure(build, scripted, make_call, bad) -> None:
    judge = scripted(lambda call, n: bad if call.item == "item 5" else "verdict: A")
    limits = Limits(1, re_asks=0, stop_at_failure=True)
    with pytest.raises(AskingStopped) as caught:
        build(judge, limits=limits).ask(map(make_call, range(20)))
    assert caught.value.item == "item 5"
    assert len(judge.asked) == 6


def test_errors_of_others_pass_through(build, scripted, make_call) -> None:
    def calls():
        yield make_call(1)
        raise UserError("row 2 is broken")

    with pytest.raises(UserError, match="row 2 is broken"):
        build(scripted()).ask(calls())
    with pytest.raises(ZeroDivisionError):
        build(scripted(lambda *_: ZeroDivisionError())).ask([make_call(2)])


def test_who_listens_hears_of_every_call(build, scripted, make_call) -> None:
    heard = []
    judge = scripted(lambda call, n: Reply("verdict: A", usage=Usage(1000, 100)))
    executor = build(judge, listen=heard.append, price=Price(1, 10))
    executor.ask([make_call(n) for n in range(5)])
    executor.ask([make_call(n) for n in range(6)])
    assert [p.calls for p in heard] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]
    assert heard[4].cost == pytest.approx(5 * 0.002)
    assert (heard[-1].cached, heard[-1].answered, heard[-1].missing) == (5, 1, 0)
    assert executor.spend.cost == pytest.approx(6 * 0.002)
    assert executor.spend.requests == 6


def test_a_budget_in_calls_ends_the_asking_and_says_so(build, scripted, make_call) -> None:
    judge = scripted(pause=0.001)
    budget = Budget(max_calls=7)
    executor = build(judge, budget=budget, limits=Limits(4))
    executor.ask([make_call(0)])
    report = executor.ask(map(make_call, range(20)))
    assert len(judge.asked) == 7
    assert (report.cached, report.answered, report.missing) == (1, 6, {BUDGET: 13})
    assert report.stopped == "the budget of 7 requests is used up"
    assert executor.outcome(make_call(19)).missing == report.stopped
    assert report.lines()[-1] == report.stopped


def test_a_budget_in_dollars_needs_prices_and_limits(build, scripted, make_call) -> None:
    with pytest.raises(InvalidSetting, match="set its price_input"):
        build(scripted(), budget=Budget(max_cost=1))
    executor = build(scripted(), budget=Budget(max_cost=1), price=Price(1, 1))
    with pytest.raises(InvalidSetting, match="set max_tokens of judge 'scripted'"):
        executor.ask([make_call(1, parameters={})])


def test_judges_share_a_budget(build, scripted, make_call) -> None:
    budget = Budget(max_calls=5)
    first, second = scripted(), scripted()
    assert build(first, budget=budget).ask([make_call(n) for n in range(3)]).complete
    report = build(second, budget=budget).ask([make_call(n) for n in range(3, 9)])
    assert (report.answered, report.missing[BUDGET]) == (2, 4)


def test_it_runs_inside_an_event_loop_too(build, scripted, make_call) -> None:
    async def run():
        return await build(scripted()).ask_async([make_call(1)])

    assert asyncio.run(run()).answered == 1


def test_reports_are_json_and_a_few_lines(build, scripted, make_call) -> None:
    judge = scripted(lambda call, n: "verdict: A" if int(call.item[5:]) % 2 else "no")
    report = build(judge, price=Price(1, 1)).ask(map(make_call, range(40)))
    assert report.json()["missing"] == {INVALID: 20}
    assert len(report.examples) == 5
    assert report.lines()[0] == "40 calls: 0 known, 20 answered, 20 missing (20 invalid reply)"
    assert all("\n" not in line for line in report.lines())


def test_what_is_broken_off_may_be_billed_and_is_booked(build, scripted, make_call) -> None:
    class Stuck(scripted):
        async def answer(self, call, attempt):
            if call.item == "item 3":
                await asyncio.sleep(0.01)
                raise JudgeDown("gone")
            await asyncio.sleep(60)

    price, budget = Price(1, 10), Budget(max_cost=1)
    executor = build(Stuck(), price=price, budget=budget, limits=Limits(4))
    with pytest.raises(AskingStopped) as caught:
        executor.ask([make_call(n) for n in range(9)])
    spend = caught.value.report.spend
    # The one that failed says nothing about its bill either.
    assert (spend.requests, spend.unreported, spend.faults) == (4, 4, {"broken off": 4})
    assert spend.cost == 0
    assert budget.spent == pytest.approx(spend.cost_bound)
    assert spend.cost_bound == pytest.approx(4 * price.cost(len("question 1") + 144, 64))


def test_a_short_list_needs_few_workers(build, scripted, make_call, monkeypatch) -> None:
    made = []
    work = Asking.work

    async def counted(self, calls):
        made.append(1)
        await work(self, calls)

    monkeypatch.setattr(Asking, "work", counted)
    report = build(scripted(), limits=Limits(1_000_000)).ask(map(make_call, range(2)))
    assert report.answered == 2
    assert len(made) <= 3
    judge = scripted(pause=0.01)
    build(judge, limits=Limits(7)).ask(map(make_call, range(40)))
    assert judge.most == 7
