"""A thousand calls through every fault, against a twin that goes through them one by one."""

import random
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from mnpo.judging.budget import Budget, Price
from mnpo.judging.cache import AnswerCache
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.failures import BUDGET, FAILED, INVALID, AskingStopped
from mnpo.judging.limits import Limits

RETRIES, RE_ASKS = 3, 2
PRICE = Price(3.0, 15.0)
#: What our side calls the server's faults.
SEEN_AS = {
    "hang": "timeout",
    "drip": "timeout",
    "cut json": "unreadable body",
    "wrong schema": "unreadable body",
    "dropped": "broken connection",
}
TRANSIENT = {"status 500", "status 503", "status 429", *SEEN_AS}


def counts(usage) -> tuple[int, int]:
    return usage.prompt_tokens, usage.completion_tokens


class Twin:
    """What must come out, by going through the fates of each text in turn."""

    def __init__(self, server, texts, usage_of, truth) -> None:
        self.values: dict[str, str] = {}
        self.missing: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.requests = self.invalid = self.prompt_tokens = self.completion_tokens = 0
        for text in texts:
            self._go(server, text, usage_of, truth)

    def _go(self, server, text, usage_of, truth) -> None:
        nth = 0
        for _ in range(1 + RE_ASKS):
            for _ in range(1 + RETRIES):
                fate = server.fate(text, nth)
                self.requests += 1
                nth += 1
                if fate not in TRANSIENT:
                    break
                self.faults[SEEN_AS.get(fate, fate)] += 1
            else:
                self.missing[FAILED] += 1
                return
            tokens = usage_of(text, nth - 1)
            self.prompt_tokens += tokens.prompt_tokens
            self.completion_tokens += tokens.completion_tokens
            if fate == "good":
                self.values[text] = truth(text)
                return
            self.invalid += 1
        self.missing[INVALID] += 1


def test_a_thousand_calls_through_every_fault(
    server, endpoint, make_call, usage_of, truth, faults, tmp_path
) -> None:
    server.shares, server.latency = faults, 0.02
    calls = [make_call(n) for n in range(1000)]
    twin = Twin(server, [f"question {n}" for n in range(1000)], usage_of, truth)
    assert min(twin.missing[FAILED], twin.missing[INVALID]) > 0  # the seed shows both
    judge = EndpointJudge(endpoint(timeout=3.0, retries=RETRIES, first_wait=0.005))
    limits = Limits(concurrency=64, re_asks=RE_ASKS)
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        executor = Executor(judge, cache, limits=limits, price=PRICE)
        report = executor.ask(calls)
        found = {call.messages[0].content: executor.outcome(call) for call in calls}
    values = {text: o.value for text, o in found.items() if o.value is not None}
    assert values == twin.values  # every valid one kept, none invented
    assert all(o.missing for o in found.values() if o.value is None)
    assert report.missing == twin.missing
    assert (report.calls, report.cached, report.answered) == (1000, 0, len(twin.values))
    assert report.invalid == twin.invalid
    # The books: ours, the server's, and the twin's.
    spend = report.spend
    assert spend.faults == twin.faults
    assert spend.requests == twin.requests == len(server.bodies)
    assert spend.prompt_tokens == twin.prompt_tokens == sum(u.prompt_tokens for u in server.billed)
    assert spend.completion_tokens == sum(u.completion_tokens for u in server.billed)
    assert spend.cost == PRICE.cost(twin.prompt_tokens, twin.completion_tokens)
    assert spend.unreported == sum(twin.faults[kind] for kind in set(SEEN_AS.values()))
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone()[0] == len(values)


def test_only_failures_are_asked_again(server, endpoint, make_call, tmp_path) -> None:
    server.shares = {"status 503": 0.5, "outside": 0.2}
    calls = [make_call(n) for n in range(100)]
    judge = EndpointJudge(endpoint(retries=0))
    limits = Limits(re_asks=0, breaker=1000)
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        first = Executor(judge, cache, limits=limits).ask(calls)
        before = server.asked.copy()
        server.shares = {}
        second = Executor(judge, cache, limits=limits).ask(calls)
    assert 0 < first.answered < 100
    assert (second.cached, second.answered) == (first.answered, 100 - first.answered)
    again = {text for text, n in server.asked.items() if n > before[text]}
    assert len(again) == sum(first.missing.values())


@pytest.mark.parametrize("limit", ["cost", "calls"])
def test_the_budget_holds_by_the_servers_books(
    server, endpoint, make_call, faults, tmp_path, limit
) -> None:
    server.shares = {kind: share for kind, share in faults.items() if kind not in ("hang", "drip")}
    server.latency = 0.005
    spread = random.Random(5)
    calls = [make_call(n, text=f"{n} " + "x" * spread.randint(1, 800)) for n in range(300)]
    budget = Budget(max_cost=0.1) if limit == "cost" else Budget(max_calls=150)
    judge = EndpointJudge(endpoint(retries=3, first_wait=0.005))
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        executor = Executor(judge, cache, limits=Limits(concurrency=32), price=PRICE, budget=budget)
        report = executor.ask(calls)
        outcomes = [executor.outcome(call) for call in calls]
    assert report.calls == 300
    assert report.missing[BUDGET] > 0
    assert 0 < report.answered < 300
    assert "the budget of" in report.stopped
    assert sum("the budget of" in o.missing for o in outcomes) == report.missing[BUDGET]
    cost = PRICE.cost(*map(sum, zip(*map(counts, server.billed), strict=True)))
    assert report.spend.requests == len(server.bodies) == budget.requests
    if limit == "cost":
        assert cost <= report.spend.cost + report.spend.cost_bound <= 0.1
        assert budget.spent == pytest.approx(report.spend.cost + report.spend.cost_bound)
        assert budget.spent > 0.08  # used, not shied away from
    else:
        assert len(server.bodies) == 150


def test_a_server_that_goes_away_ends_the_run_with_one_line(
    server, endpoint, make_call, tmp_path
) -> None:
    server.shares = {"status 503": 1.0}
    judge = EndpointJudge(endpoint(retries=1))
    cache = AnswerCache(tmp_path / "answers.sqlite")
    executor = Executor(judge, cache, limits=Limits(concurrency=4, breaker=6))
    with pytest.raises(AskingStopped, match="6 calls without a reply in a row") as caught:
        executor.ask(make_call(n) for n in range(1000))
    assert len(server.bodies) <= 2 * (6 + 4)
    assert "\n" not in str(caught.value)
    assert 6 <= caught.value.report.missing[FAILED] <= 6 + 4
    assert not (tmp_path / "answers.sqlite").exists()
