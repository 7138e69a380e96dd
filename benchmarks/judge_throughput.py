"""How fast a judge is asked: against a local server whose latency is fixed, in its own process.

    python benchmarks/judge_throughput.py [--calls 10000] [--concurrency 64] [--latency 0.5]

The ideal rate is concurrency / latency. Three ways of asking take turns on the same server: the
executor with its durable store, the executor's endpoint alone, and as a peer a plain
`openai.AsyncOpenAI` with a semaphore and a gather, which stores, checks and repeats nothing. Each
runs in a process of its own; "own CPU" is that process's user and system time.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WORDS = "the answer that is being judged says this and that about it ".split()


def text(number: int) -> str:
    """A question of about three kilobytes."""
    return f"question {number}: " + " ".join(WORDS[(number + i) % len(WORDS)] for i in range(600))


# The server: one process, one socket a client keeps.


class Server(asyncio.Protocol):
    latency = 0.2
    body = json.dumps(
        {
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "My final verdict is: [[A>B]]"},
                }
            ],
            "usage": {"prompt_tokens": 700, "completion_tokens": 9, "total_tokens": 709},
        }
    ).encode()

    def connection_made(self, transport) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, found, rest = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) >= size:
            self.data = rest[size:]
            asyncio.get_running_loop().call_later(self.latency, self.reply)

    def reply(self) -> None:
        if not self.transport.is_closing():
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            self.transport.write(head % len(self.body) + self.body)


async def serve(latency: float) -> None:
    Server.latency = latency
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# The three ways of asking.


class Verdict:
    name = "benchmark/verdict@1"
    choices: tuple[str, ...] = ()
    lead = ""

    def read(self, reply) -> str:
        from mnpo.judging.calls import InvalidReply

        if "[[A>B]]" not in reply.text:
            raise InvalidReply("it has no verdict")
        return "A>B"


def calls(number: int) -> Iterator:
    from mnpo.conversation import Message
    from mnpo.judging.calls import Call

    contract = Verdict()
    for n in range(number):
        yield Call(
            f"item {n}",
            (Message("system", "Judge."), Message("user", text(n))),
            contract,
            "benchmark@1",
            {"temperature": 0.0, "max_tokens": 64},
        )


def judge(url: str, concurrency: int):
    from mnpo.judging.endpoint import EndpointJudge
    from mnpo.judging.settings import EndpointSettings

    return EndpointJudge(EndpointSettings(model="m", url=url, concurrency=concurrency))


async def executor(url: str, number: int, concurrency: int, folder: Path) -> None:
    from mnpo.judging.cache import AnswerCache
    from mnpo.judging.executor import Executor
    from mnpo.judging.limits import Limits

    with AnswerCache(folder / "answers.sqlite") as cache:
        asking = Executor(judge(url, concurrency), cache, limits=Limits(concurrency))
        report = await asking.ask_async(calls(number))
    assert report.cached + report.answered == number, report


async def endpoint(url: str, number: int, concurrency: int, folder: Path) -> None:
    source = calls(number)
    async with judge(url, concurrency) as asked:

        async def work() -> None:
            for call in source:
                await asked.answer(call, 0)

        await asyncio.gather(*[work() for _ in range(concurrency)])


async def peer(url: str, number: int, concurrency: int, folder: Path) -> None:
    import openai

    limit = asyncio.Semaphore(concurrency)
    async with openai.AsyncOpenAI(api_key="none", base_url=url) as client:

        async def one(n: int) -> str:
            async with limit:
                messages = [
                    {"role": "system", "content": "Judge."},
                    {"role": "user", "content": text(n)},
                ]
                found = await client.chat.completions.create(
                    model="m", messages=messages, temperature=0.0, max_tokens=64
                )
                return found.choices[0].message.content

        await asyncio.gather(*[one(n) for n in range(number)])


def child(way: str, url: str, number: int, concurrency: int) -> None:
    """Time one way; imports and a first small round are outside the clock."""
    run = {"executor": executor, "endpoint": endpoint, "peer": peer}[way]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(url, concurrency, concurrency, Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        asyncio.run(run(url, number, concurrency, Path(folder)))
        seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak}))


def measure(way: str, url: str, number: int, concurrency: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", way, url, str(number), str(concurrency)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    command = [sys.executable, __file__, "--serve", str(given.latency)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        ideal = given.concurrency / given.latency
        print(
            f"{given.concurrency} at once, {given.latency:g} s each: ideal {ideal:.0f} calls/s; "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        print(
            f"{'':>10} {'calls':>7} {'calls/s':>8} {'of ideal':>9} {'own CPU/call':>13} {'peak':>8}"
        )
        for _ in range(given.rounds):
            for way in ("executor", "endpoint", "peer"):
                for number in (given.calls // 10, given.calls):
                    found = measure(way, url, number, given.concurrency)
                    # A last wave that is not full takes as long as a full one.
                    waves = -(-number // given.concurrency)
                    share = waves * given.latency / found["seconds"]
                    print(
                        f"{way:>10} {number:>7} {number / found['seconds']:>8.0f} {share:>9.1%} "
                        f"{found['cpu'] / number * 1e3:>10.2f} ms {found['peak']:>5.0f} MiB",
                        flush=True,
                    )
        print(f"load at the end {os.getloadavg()[0]:.1f}")
    finally:
        server.communicate("")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(float(sys.argv[2])))
    elif sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
