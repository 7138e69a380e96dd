"""Calls that wait at the same time, answered together in one thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

#: Seconds that a batch which is not full waits for more. Whoever computes with a model needs far
#: longer for one batch; whoever asks one call at a time loses this much on each.
LINGER = 0.01


class Batcher(Generic[Item, Found]):
    """Collects items that are asked for at the same time and answers them by the batch.

    Use it as an async context manager, inside one event loop. While a batch is computed, the next
    one gathers; there is one thread, so ``answer`` never runs twice at a time.

    Args:
        answer: what to do with a batch: for each item its result, or the exception that its
            caller gets. What it raises itself goes to every caller of the batch.
        size: items in a batch at most.
        linger: seconds that a batch which is not full waits for more.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Item]], Sequence[Found | Exception]],
        size: int,
        linger: float = LINGER,
    ) -> None:
        self._answer = answer
        self._size = size
        self._linger = linger
        self._waiting: asyncio.Queue[tuple[Item, asyncio.Future[Found]]] = asyncio.Queue()
        self._threads: ThreadPoolExecutor | None = None
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Batcher[Item, Found]":
        self._waiting = asyncio.Queue()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")
        self._worker = asyncio.create_task(self._work(self._threads))
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._worker is not None
        assert self._threads is not None
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait()[1].cancel()
        # A batch in progress is waited for, off the event loop: its memory is in use until then.
        await asyncio.to_thread(self._threads.shutdown)
        self._worker = self._threads = None

    async def ask(self, item: Item) -> Found:
        """The result for one item.

        Raises:
            RuntimeError: outside of the ``async with`` block.
            Exception: whatever ``answer`` found or raised for it.
        """
        if self._worker is None:
            raise RuntimeError("the judge is not open: ask it inside its 'async with' block")
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((item, future))
        return await future

    async def _work(self, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [entry for entry in await self._gather() if not entry[1].done()]
            if not batch:
                continue
            items = [item for item, _ in batch]
            try:
                found = await loop.run_in_executor(threads, self._answer, items)
                if len(found) != len(items):
                    raise RuntimeError(f"{len(items)} items got {len(found)} results")
            except asyncio.CancelledError:
                for _, future in batch:
                    future.cancel()
                raise
            except Exception as error:  # each caller gets it and says which call it was
                found = [error] * len(items)
            for (_, future), result in zip(batch, found, strict=True):
                if future.done():  # its caller gave up meanwhile
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    async def _gather(self) -> list[tuple[Item, asyncio.Future[Found]]]:
        """At least one entry, and what else arrives before the batch is full or time is up."""
        batch = [await self._waiting.get()]
        loop = asyncio.get_running_loop()
        end = loop.time() + self._linger
        while len(batch) < self._size:
            try:
                batch.append(self._waiting.get_nowait())
                continue
            except asyncio.QueueEmpty:
                pass
            try:
                async with asyncio.timeout_at(end):
                    batch.append(await self._waiting.get())
            except TimeoutError:
                break
        return batch
