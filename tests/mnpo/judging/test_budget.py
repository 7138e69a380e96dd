import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.judging.budget import Bound, Budget, BudgetUsedUp, Price, bound
from mnpo.judging.calls import Usage
from mnpo.judging.meter import Meter
from mnpo.judging.spend import Ledger, Spend

#: Worst case of a request, share of it that is really used, how it ends, how long it takes.
REQUESTS = st.lists(
    st.tuples(
        st.integers(1, 1000),
        st.integers(0, 1000),
        st.floats(0, 1),
        st.sampled_from(["answered", "silent", "timeout", "status", "refused", "broken off"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@given(REQUESTS, st.floats(1e-4, 0.05), st.none() | st.integers(1, 20))
def test_a_budget_is_never_exceeded_whatever_comes_back(requests, max_cost, max_calls) -> None:
    price = Price(3.0, 15.0)
    budget, ledger = Budget(max_cost, max_calls), Ledger(price)
    real = {"cost": 0.0, "sent": 0}
    refused = []

    async def one(prompt, completion, share, end, turns) -> None:
        meter = Meter(ledger, budget, Bound(prompt, completion))
        try:
            await meter.begin()
        except BudgetUsedUp:
            refused.append(price.cost(prompt, completion))
            assert end in ("x", end)
            return
        for _ in range(turns):
            await asyncio.sleep(0)
        usage = Usage(int(prompt * share), int(completion * share))
        if end != "refused":
            real["sent"] += 1
        if end in ("answered", "silent", "timeout", "broken off"):  # may all be billed
            real["cost"] += price.cost(usage.prompt_tokens, usage.completion_tokens)
        match end:
            case "answered":
                meter.answered(usage)
            case "silent":
                meter.answered(None)
            case "timeout":
                meter.failed("timeout", billed=True)
            case "status":
                meter.failed("status 503", billed=False)
            case "refused":
                meter.failed("no connection", billed=True, sent=False)
        meter.close()

    async def run() -> None:
        await asyncio.wait_for(asyncio.gather(*[one(*r) for r in requests]), 10)  # nobody waits on

    asyncio.run(run())
    spend = ledger.spend(0.0)
    assert real["cost"] <= spend.cost + spend.cost_bound + 1e-12
    assert spend.cost + spend.cost_bound <= max_cost + 1e-12
    assert spend.requests == budget.requests == real["sent"]
    assert max_calls is None or real["sent"] <= max_calls
    if refused and max_calls is None:
        assert budget.spent + max(refused) > 0  # a refusal had a reason: it might not have fitted
        assert max(refused) + spend.cost + spend.cost_bound > 0


def test_a_request_that_might_fit_waits_for_those_in_flight() -> None:
    price = Price(0, 1e6)  # a dollar a token
    budget, ledger = Budget(max_cost=10), Ledger(price)

    async def run() -> list[str]:
        log = []
        first, second = (Meter(ledger, budget, Bound(0, 6)) for _ in range(2))
        await first.begin()

        async def wait() -> None:
            await second.begin()
            log.append("second sent")

        task = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        log.append("first answered")
        first.answered(Usage(0, 1))
        await task
        with pytest.raises(BudgetUsedUp, match=r"\$10 is used up: \$1\.0000 are spent, .* \$9\.5"):
            await budget.reserve(9.5)
        return log

    assert asyncio.run(run()) == ["first answered", "second sent"]


@given(st.text(), st.text())
def test_the_bound_holds_for_tokenizers_of_bytes(make_call, one, other) -> None:
    call = make_call(1)
    call = type(call)("i", (Message("user", one), Message("user", other)), call.contract, "t@1")
    least = sum(len(text.encode("utf-8", "replace")) for text in (one, other))
    assert bound(call, {}).prompt_tokens > least
    assert bound(call, {}).completion_tokens is None
    assert bound(call, {"max_tokens": 7}).completion_tokens == 7
    assert bound(call, {"max_completion_tokens": 7, "n": 3}).completion_tokens == 21


def test_numbers_out_of_range() -> None:
    for made in (
        lambda: Price(-1, 0),
        lambda: Price(0, float("inf")),
        lambda: Budget(max_cost=0),
        lambda: Budget(max_cost=float("nan")),
        lambda: Budget(max_calls=0),
    ):
        with pytest.raises(InvalidSetting):
            made()


def test_spends_add_up() -> None:
    one = Spend(3, 1, 100, 10, 0.5, 0.1, {"timeout": 1}, 2.0)
    other = Spend(2, 0, 50, 5, 0.25, 0.0, {"timeout": 1, "status 503": 4}, 1.0)
    both = Spend(5, 1, 150, 15, 0.75, 0.1, {"timeout": 2, "status 503": 4}, 3.0)
    assert one + other == both
    assert Spend() + one == one + Spend() == one
    assert (one + Spend(1, 0, 9, 9)).cost is None  # a judge without a price: the sum is unknown
    assert both.text() == (
        "5 requests, 150 + 15 tokens, $0.7500, 1 without a report of tokens (at most $0.1000 "
        "more), 4 x status 503, 2 x timeout, 3.0 s"
    )
