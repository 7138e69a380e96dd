import subprocess
import sys

import pytest

from mnpo.judging.budget import Price, bound
from mnpo.judging.cache import Answer, AnswerCache
from mnpo.judging.calls import Reply, Usage
from mnpo.judging.estimate import estimate
from mnpo.judging.executor import Executor
from mnpo.judging.keys import Keys


def test_nothing_known(scripted, make_call, tmp_path) -> None:
    calls = [make_call(n, text="x" * 400) for n in range(10)]
    cache = AnswerCache(tmp_path / "answers.sqlite")
    found = estimate(calls, scripted(), cache, price=Price(1, 10), concurrency=4)
    assert (found.calls, found.cached, found.asked) == (10, 0, 10)
    assert (found.prompt_tokens, found.completion_tokens) == (1000, 640)
    assert found.cost == pytest.approx((1000 + 6400) / 1e6)
    assert found.prompt_bound == 10 * bound(calls[0], {}).prompt_tokens
    assert found.cost_bound == pytest.approx((found.prompt_bound + 6400) / 1e6)
    assert (found.seconds, found.measured) == (3 * 2.0, False)
    assert not cache.path.exists()
    assert "10 calls: 0 answered already, 10 to be asked" in found.lines()


def test_stored_answers_are_free_and_tell_of_the_rest(scripted, make_call) -> None:
    judge = scripted()
    calls = [make_call(n) for n in range(6)]
    with AnswerCache() as cache:
        for call in calls[:2]:
            answer = Answer("A", "verdict: A", Usage(5, 20))
            key = Keys(judge).key(call)
            cache.put(key, answer, call=call, judge=judge.name, seconds=3.0)
        found = estimate(iter(calls), judge, cache, concurrency=2)
        assert (found.cached, found.asked, found.completion_tokens) == (2, 4, 80)
        assert (found.seconds, found.measured) == (6.0, True)
        assert found.cost is None
        assert any("cost unknown" in line for line in found.lines())
        named = estimate(calls, judge, cache, concurrency=2, seconds_per_call=10)
        assert named.seconds == 20
    assert judge.opened == 0


def test_no_limit_of_tokens_is_no_bound(scripted, make_call) -> None:
    with AnswerCache() as cache:
        found = estimate([make_call(1, parameters={})], scripted(), cache, price=Price(1, 1))
    assert (found.completion_tokens, found.cost, found.cost_bound) == (None, None, None)


def test_the_bound_bounds_what_is_spent(scripted, make_call) -> None:
    price = Price(2, 8)
    judge = scripted(lambda call, n: Reply("verdict: A", usage=Usage(10, 64)))
    calls = [make_call(n) for n in range(30)]
    with AnswerCache() as cache:
        before = estimate(calls, judge, cache, price=price)
        spend = Executor(judge, cache, price=price).ask(calls).spend
        assert spend.cost <= before.cost_bound
        assert estimate(calls, judge, cache, price=price).cost == 0


def test_nothing_heavy_is_loaded_before_an_endpoint_opens() -> None:
    code = (
        "import sys, mnpo.judging.endpoint, mnpo.judging.executor, mnpo.judging.estimate\n"
        "print(*({'openai', 'torch', 'numpy', 'httpx2', 'pandas'} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (finished.returncode, finished.stdout) == (0, "\n"), finished.stderr
