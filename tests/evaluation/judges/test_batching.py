import asyncio
import threading

import pytest

from evaluation.judges.batching import Batcher


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 30))


def test_calls_that_wait_together_are_answered_together() -> None:
    batches, threads = [], set()

    def double(items):
        batches.append(list(items))
        threads.add(threading.current_thread())
        return [2 * x for x in items]

    async def main():
        async with Batcher(double, 4) as batcher:
            return await asyncio.gather(*(batcher.ask(x) for x in range(10)))

    assert run(main()) == [2 * x for x in range(10)]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert len(threads) == 1
    assert threading.main_thread() not in threads


def test_one_failure_is_its_callers_alone() -> None:
    def odd_fails(items):
        return [ValueError(str(x)) if x % 2 else x for x in items]

    async def main():
        async with Batcher(odd_fails, 8) as batcher:
            return await asyncio.gather(*map(batcher.ask, range(6)), return_exceptions=True)

    found = run(main())
    assert found[::2] == [0, 2, 4]
    assert [str(x) for x in found[1::2]] == ["1", "3", "5"]


def test_what_the_function_raises_goes_to_every_caller_and_the_next_batch_goes_on() -> None:
    def first_fails(items):
        if 0 in items:
            raise RuntimeError("broken")
        return list(items)

    async def main():
        async with Batcher(first_fails, 3) as batcher:
            return await asyncio.gather(*map(batcher.ask, range(6)), return_exceptions=True)

    found = run(main())
    assert [str(x) for x in found[:3]] == ["broken"] * 3
    assert found[3:] == [3, 4, 5]


def test_a_caller_that_gives_up_costs_the_others_nothing() -> None:
    started, go = threading.Event(), threading.Event()
    seen = []

    def slow(items):
        seen.extend(items)
        started.set()
        go.wait(10)
        return list(items)

    async def main():
        async with Batcher(slow, 1) as batcher:
            tasks = [asyncio.create_task(batcher.ask(x)) for x in range(3)]
            await asyncio.to_thread(started.wait, 10)
            tasks[0].cancel()  # in the batch that is being computed
            tasks[1].cancel()  # in the queue
            go.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    found = run(main())
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[2] == 2
    assert seen == [0, 2]


def test_leaving_cancels_who_still_waits() -> None:
    go = threading.Event()

    def slow(items):
        go.wait(10)
        return list(items)

    async def main():
        async with Batcher(slow, 1) as batcher:
            tasks = [asyncio.create_task(batcher.ask(x)) for x in range(3)]
            await asyncio.sleep(0.1)
            go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = run(main())
    assert all(isinstance(x, asyncio.CancelledError) or x in (0, 1, 2) for x in found)
    assert isinstance(found[2], asyncio.CancelledError)


def test_outside_its_block_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="is not open"):
        run(Batcher(list, 1).ask(1))
