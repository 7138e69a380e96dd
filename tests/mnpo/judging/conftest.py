"""A server with seeded faults and exact books, and judges that are scripted."""

import asyncio
import hashlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mnpo.conversation import Message
from mnpo.judging.calls import Call, InvalidReply, Reply, Usage
from mnpo.judging.settings import EndpointSettings

#: What a request may meet: kind -> share of requests.
FAULTS = {
    "status 500": 0.03,
    "status 503": 0.05,
    "status 429": 0.05,
    "hang": 0.004,
    "drip": 0.004,
    "cut json": 0.03,
    "wrong schema": 0.03,
    "dropped": 0.03,
    "refusal": 0.05,
    "outside": 0.06,
    "too long": 0.02,
    "empty": 0.02,
}


class Verdict:
    """The contract of these tests: the last word is A, B or tie."""

    name = "test/verdict@1"
    choices = ("A", "B", "tie")
    lead = "verdict: "

    def read(self, reply: Reply) -> str:
        found = re.search(r"verdict: (A|B|tie)\Z", reply.text)
        if not found:
            raise InvalidReply("it has no verdict")
        return found.group(1)


def make_call(number: int | str, **fields: Any) -> Call:
    fields = {"contract": Verdict(), "template": "test@1", **fields}
    text = fields.pop("text", f"question {number}")
    fields.setdefault("parameters", {"max_tokens": 64})
    return Call(f"item {number}", (Message("user", text),), **fields)


def truth(text: str) -> str:
    """What the judge thinks about a question."""
    return ("A", "B", "tie")[hashlib.sha256(text.encode()).digest()[0] % 3]


def usage(text: str, nth: int) -> Usage:
    """Tokens of a reply: fewer than the bytes of the question, and than max_tokens."""
    spread = random.Random(f"usage {text} {nth}")
    return Usage(spread.randint(1, len(text.encode())), spread.randint(1, 64))


def completion(text: str, nth: int, content: str | None, finish="stop", **message: Any) -> dict:
    counted = usage(text, nth)
    return {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": vars(counted) | {"total_tokens": 0},
    }


class FaultServer:
    """Chat completions over bare sockets, in a thread of its own.

    The fate of the nth request about a text depends on the seed, the text and n alone, so that a
    twin can say what has to come out. ``answer(text, nth, body, headers)`` makes good replies.
    """

    def __init__(self) -> None:
        self.seed = 0
        self.shares: dict[str, float] = {}
        self.latency = 0.0
        self.hang = 30.0
        self.answer: Callable[..., Any] = lambda text, nth, body, headers: completion(
            text, nth, f"verdict: {truth(text)}"
        )
        self.asked: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.billed: list[Usage] = []
        self.open = self.most_open = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._started.wait(10)

    def fate(self, text: str, nth: int) -> str:
        """A kind of fault, or "good"."""
        kinds = list(self.shares)
        rest = 1 - sum(self.shares.values())
        dice = random.Random(f"{self.seed} {text} {nth}")
        return dice.choices([*kinds, "good"], [*self.shares.values(), rest])[0]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._tasks: set[Any] = set()
        self._started.set()
        await self._ended.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()

    async def _connected(self, reader, writer) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, value in pairs}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                try:
                    if not await self._reply(writer, body, headers):
                        return
                finally:
                    self.open -= 1
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _reply(self, writer, body, headers) -> bool:
        text = body["messages"][-1]["content"]
        nth = self.asked[text]
        self.asked[text] += 1
        self.bodies.append(body)
        self.headers.append(headers)
        kind = self.fate(text, nth)
        self.kinds[kind] += 1
        if self.latency:
            await asyncio.sleep(self.latency)
        if kind == "hang":
            await asyncio.sleep(self.hang)
        if kind in ("hang", "dropped"):
            return False
        if kind.startswith("status"):
            more = {"Retry-After": "0.01"} if kind == "status 429" else {}
            error = json.dumps({"error": {"message": f"{kind} for {text}"}})
            return await self._send(writer, int(kind[7:]), error, more)
        made = {
            "wrong schema": {"choices": {"text": "verdict: A"}},
            "refusal": completion(text, nth, None, refusal="I would rather not."),
            "outside": completion(text, nth, "verdict: C"),
            "too long": completion(text, nth, "verdict: A", finish="length"),
            "empty": completion(text, nth, ""),
        }.get(kind) or self.answer(text, nth, body, headers)
        if isinstance(made, tuple):
            status, more, made = made
            raw = made if isinstance(made, str) else json.dumps(made)
            return await self._send(writer, status, raw, more)
        data = json.dumps(made)
        if kind not in ("wrong schema", "cut json", "drip"):
            self.billed.append(usage(text, nth))
        return await self._send(
            writer, 200, data[: len(data) // 2] if kind == "cut json" else data, {}, kind == "drip"
        )

    async def _send(self, writer, status, text, more, drip=False) -> bool:
        data = text.encode()
        given = {"Content-Type": "application/json", "Content-Length": str(len(data)), **more}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in given.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if drip:
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self.hang / len(data))
            return True
        writer.write(data)
        await writer.drain()
        return True


class Scripted:
    """A judge in this process: ``script(call, attempt)`` returns a reply, a text or an error."""

    name = "scripted"

    def __init__(self, script: Callable[[Call, int], Any] | None = None, pause: float = 0) -> None:
        self.script = script or (lambda call, n: f"verdict: {truth(call.messages[-1].content)}")
        self.pause = pause
        self.asked: list[tuple[str, int]] = []
        self.opened = self.closed = self.running = self.most = 0

    def describe(self):
        return {"kind": "scripted"}

    def parameters(self, call: Call):
        return call.parameters

    async def __aenter__(self):
        self.opened += 1
        return self

    async def __aexit__(self, *error):
        self.closed += 1

    async def answer(self, call: Call, attempt: int) -> Reply:
        self.asked.append((call.item, attempt))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.pause)
        finally:
            self.running -= 1
        found = self.script(call, attempt)
        if isinstance(found, Exception):
            raise found
        return Reply(found) if isinstance(found, str) else found


@pytest.fixture
def server() -> Iterator[FaultServer]:
    made = FaultServer()
    yield made
    made.stop()


@pytest.fixture
def endpoint(server) -> Callable[..., EndpointSettings]:
    def build(**fields: Any) -> EndpointSettings:
        quick = {"first_wait": 0.01, "max_wait": 2.0, "timeout": 20.0}
        return EndpointSettings(**{"model": "m", "url": server.url, **quick, **fields})

    return build


@pytest.fixture(name="make_call", scope="session")
def _make_call() -> Callable[..., Call]:
    return make_call


@pytest.fixture(name="truth", scope="session")
def _truth() -> Callable[[str], str]:
    return truth


@pytest.fixture(name="usage_of", scope="session")
def _usage_of() -> Callable[[str, int], Usage]:
    return usage


@pytest.fixture(name="scripted", scope="session")
def _scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture(name="verdict", scope="session")
def _verdict() -> type[Verdict]:
    return Verdict


@pytest.fixture(name="completion", scope="session")
def _completion() -> Callable[..., dict]:
    return completion


@pytest.fixture(name="faults", scope="session")
def _faults() -> dict[str, float]:
    return FAULTS
