import json
import logging
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mnpo.errors import InvalidSetting
from mnpo.judging import endpoint as endpoint_module
from mnpo.judging.waiting import retry_after
from mnpo.training.oracles.base import OracleFailure
from mnpo.training.oracles.build import build_oracle
from mnpo.training.oracles.judge import STORE_NAME
from mnpo.training.oracles.settings import JudgeSettings

SECRET = "sk-not-to-be-seen-1234567890"
TEMPLATE = "{{ prompt }}|{{ response_a }}|{{ response_b }}"


def longer_wins(body) -> str:
    """What a good judge of length says about TEMPLATE."""
    _, a, b = body["messages"][0]["content"].split("|")
    verdict = "tie" if len(a) == len(b) else "A" if len(a) > len(b) else "B"
    return json.dumps({"verdict": verdict})


def rows(folder) -> list[tuple]:
    """What is stored, read past the code that wrote it."""
    with closing(sqlite3.connect(folder / STORE_NAME)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute("SELECT key, value FROM answers").fetchall()


def completion(content, finish="stop", **message) -> dict:
    message = {"role": "assistant", "content": content, **message}
    return {"choices": [{"index": 0, "finish_reason": finish, "message": message}]}


class FaultServer(ThreadingHTTPServer):
    """Chat completions whose faults are scripted.

    ``fault(n, body)`` sees the number of the request and its body, and returns None for a good
    reply, or (status, headers, body); it may sleep.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = lambda n, body: None
        self.answer = longer_wins
        self.chunk, self.pause = 1 << 20, 0.0
        self.seen: list[dict] = []
        self.keys: list[str | None] = []
        self.times: list[float] = []
        self.open = self.most_open = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address) -> None:
        pass  # a client that gave up is part of the test


class Handler(BaseHTTPRequestHandler):
    server: FaultServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            n = len(server.seen)
            server.seen.append(body)
            server.keys.append(self.headers["Authorization"])
            server.times.append(time.monotonic())
            server.open += 1
            server.most_open = max(server.most_open, server.open)
        try:
            made = server.fault(n, body)
        finally:
            with server.lock:
                server.open -= 1
        status, headers, text = made or (200, {}, json.dumps(completion(server.answer(body))))
        data = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(data), server.chunk):
            self.wfile.write(data[start : start + server.chunk])
            time.sleep(server.pause)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def server():
    made = FaultServer()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def judge(server):
    def build(folder=None, **settings):
        quick = {"first_wait": 0.01, "max_wait": 2.0, "timeout": 5.0, "template": TEMPLATE}
        return build_oracle(
            JudgeSettings(**{"model": "m", "url": server.url, **quick, **settings}), folder=folder
        )

    return build


def test_both_orders_and_all_repeats_are_asked_and_averaged(ask, judge, server) -> None:
    (p,) = judge(repeats=3).compare([ask("q", "long one", "short", "other")])
    assert p[0, 1] == p[0, 2] == 1
    assert p[1, 2] == 0.5  # ties
    assert len(server.seen) == 3 * 2 * 3
    texts = [body["messages"][0]["content"] for body in server.seen]
    assert texts.count("q|long one|short") == texts.count("q|short|long one") == 3


def test_a_judge_that_always_says_a_prefers_nothing(ask, judge, server) -> None:
    server.answer = lambda body: '{"verdict": "A"}'
    (p,) = judge().compare([ask("q", "long one", "short")])
    assert (p == 0.5).all()


def test_identical_responses_cost_nothing(ask, judge, server) -> None:
    (p,) = judge().compare([ask("q", "same", "same", "same")])
    assert (p == 0.5).all()
    assert server.seen == []


def test_the_tag_contract_and_the_own_template(ask, judge, server) -> None:
    server.answer = lambda body: "I think...\n<verdict>B</verdict>"
    oracle = judge(contract="tag", template=None)
    oracle.compare([ask("What is two plus two?", "four", "five")])
    (text, other) = (body["messages"][0]["content"] for body in server.seen)
    assert "<verdict>" in text
    for part in ("<user>\nWhat is two plus two?\n</user>", "four", "five"):
        assert part in text
    assert (text.index("four") < text.index("five")) != (other.index("four") < other.index("five"))


BURST = (503, {}, '{"error": {"message": "overloaded"}}')


@pytest.mark.parametrize(
    "faulty",
    [
        BURST,
        (500, {"Content-Type": "text/html"}, "<h1>oops</h1>"),
        (429, {"Retry-After": "0.05"}, "{}"),
        (408, {}, "{}"),
        (200, {}, '{"choices": [{"message": {"content": "{\\"verd'),  # truncated in the middle
        (200, {"Content-Type": "text/plain"}, "hello"),
        (200, {}, '{"choices": []}'),
        (200, {}, "null"),
        (200, {"Content-Length": "100000"}, "{}"),  # the connection closes too early
    ],
    ids=["503", "html", "429", "408", "cut", "plain", "empty", "null", "closed"],
)
def test_a_fault_that_passes_changes_no_answer(ask, judge, server, faulty) -> None:
    server.fault = lambda n, body: faulty if n in (0, 1, 3, 4) else None
    (p,) = judge(concurrency=1).compare([ask("q", "long one", "short")])
    assert p[0, 1] == 1
    assert len(server.seen) == 2 + 4


@pytest.mark.parametrize(
    ("faulty", "why"),
    [
        (BURST, "failed 3 times: status 503"),
        ((200, {}, '{"choices": [{"mess'), "failed 3 times: the body is no chat completion"),
    ],
)
def test_a_fault_that_stays_is_a_failure_that_says_resume(ask, judge, server, faulty, why) -> None:
    server.fault = lambda n, body: faulty
    with pytest.raises(OracleFailure, match=why) as caught:
        judge(retries=2, concurrency=1).compare([ask("q", "long one", "short")])
    assert "run the same command again to go on" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refused_request_is_not_repeated(ask, judge, server, status) -> None:
    server.fault = lambda n, body: (status, {}, '{"error": {"message": "no"}}')
    with pytest.raises(OracleFailure, match=f"refuses the request: status {status}"):
        judge(concurrency=1).compare([ask("q", "long one", "short")])
    assert len(server.seen) == 1


def test_a_hanging_request_is_given_up_and_repeated(ask, judge, server) -> None:
    server.fault = lambda n, body: time.sleep(3) if n == 0 else None
    start = time.monotonic()
    (p,) = judge(concurrency=1, timeout=0.3).compare([ask("q", "long one", "short")])
    assert p[0, 1] == 1
    assert time.monotonic() - start < 2.5
    server.fault = lambda n, body: time.sleep(1)
    with pytest.raises(OracleFailure, match=r"failed 2 times: no reply within 0.1 s"):
        judge(timeout=0.1, retries=1).compare([ask("q", "long one", "short")])


def test_a_reply_that_trickles_in_is_given_up_too(ask, judge, server) -> None:
    server.chunk, server.pause = 1, 0.05  # each byte in time, all of them never
    with pytest.raises(OracleFailure, match=r"failed 1 times: no reply within 0.3 s"):
        judge(timeout=0.3, retries=0).compare([ask("q", "long one", "short")])


def test_no_server_at_all(ask, judge) -> None:
    with pytest.raises(OracleFailure, match="failed 2 times: no connection"):
        judge(url="http://127.0.0.1:9/v1", retries=1).compare([ask("q", "a", "b")])


def test_retry_after_is_waited_for_and_limited(ask, judge, server) -> None:
    server.fault = lambda n, body: (429, {"Retry-After": "0.4"}, "{}") if n == 0 else None
    judge(concurrency=1).compare([ask("q", "long one", "short")])
    assert server.times[1] - server.times[0] >= 0.4
    server.fault = lambda n, body: (429, {"Retry-After": "3600"}, "{}")
    with pytest.raises(OracleFailure, match=r"asks to wait 3600 s, longer than max_wait \(2 s\)"):
        judge().compare([ask("q", "long one", "short")])


def test_waits_double_with_jitter(ask, judge, server, monkeypatch) -> None:
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(endpoint_module, "sleep", sleep)
    server.fault = lambda n, body: BURST
    with pytest.raises(OracleFailure):
        judge(first_wait=1.0, max_wait=10.0, retries=6, concurrency=1).compare(
            [ask("q", "long one", "short")]
        )
    for wait, full in zip(waits, [1, 2, 4, 8, 10, 10], strict=True):
        assert full / 2 <= wait <= full


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("7", 7, 7), ("-3", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)],
)
def test_retry_after_is_a_number_or_a_date(header, low, high) -> None:
    assert low <= retry_after(header) <= high


def test_retry_after_that_says_neither() -> None:
    assert [retry_after(h) for h in (None, "soon", "nan")] == [None] * 3
    in_a_minute = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60))
    assert retry_after(in_a_minute) == pytest.approx(60, abs=2)


INVALID = {
    "prose": completion("I prefer the first."),
    "other": completion('{"verdict": "C"}'),
    "number": completion('{"verdict": 1}'),
    "cut": completion('{"verdict": "A"}', finish="length"),
    "half": completion('{"verdict": "A'),
    "refusal": completion('{"verdict": "A"}', refusal="I cannot compare these."),
    "filter": completion('{"verdict": "A"}', finish="content_filter"),
    "no text": completion(None),
    "nothing": completion(""),
}


@pytest.mark.parametrize("kind", INVALID)
def test_an_invalid_reply_is_asked_again_then_a_failure_never_a_verdict(
    ask, judge, server, kind, tmp_path
) -> None:
    bad = (200, {}, json.dumps(INVALID[kind]))
    question = ask("Which?", "long one", "short")
    server.fault = lambda n, body: bad if n in (0, 2) else None
    oracle = judge(concurrency=1)
    assert oracle.compare([question])[0][0, 1] == 1
    assert (oracle.requests, oracle.invalid) == (4, 2)
    server.fault = lambda n, body: bad
    server.seen.clear()
    with pytest.raises(OracleFailure, match=r"prompt 'Which\?'.*: 3 replies without a valid verd"):
        judge(tmp_path, concurrency=1, re_asks=2).compare([question])
    assert len(server.seen) == 3
    assert not (tmp_path / STORE_NAME).exists()  # nothing stands for it in the store either


def test_the_key_reaches_the_server_and_nothing_else(
    ask, judge, server, monkeypatch, caplog, tmp_path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    judge().compare([ask("q", "long one", "short")])
    assert set(server.keys) == {"Bearer none"}
    with pytest.raises(InvalidSetting, match="environment variable JUDGE_KEY is not set"):
        judge(api_key_env="JUDGE_KEY")
    monkeypatch.setenv("JUDGE_KEY", SECRET)
    server.keys.clear()
    oracle = judge(tmp_path, api_key_env="JUDGE_KEY")
    oracle.compare([ask("q", "long one", "short")])
    assert set(server.keys) == {f"Bearer {SECRET}"}
    server.fault = lambda n, body: (401, {}, json.dumps({"error": {"message": f"bad {SECRET}"}}))
    with pytest.raises(OracleFailure) as caught:
        oracle.compare([ask("another", "long one", "short")])
    assert "bad [key]" in str(caught.value)
    seen = [json.dumps(oracle.describe()), repr(vars(oracle)), str(caught.value), caplog.text]
    assert not any(SECRET in text for text in seen)
    assert not any(SECRET.encode() in path.read_bytes() for path in tmp_path.iterdir())


def test_requests_in_flight_are_bounded_and_parallel(ask, judge, server) -> None:
    server.fault = lambda n, body: time.sleep(0.03)
    judge(concurrency=4).compare([ask(f"q{n}", "long one", "short") for n in range(12)])
    assert server.most_open == 4


def test_the_first_failure_stops_the_rest_and_keeps_what_came(ask, judge, server, tmp_path) -> None:
    questions = [ask(f"q{n}", "long one", "short") for n in range(50)]
    server.fault = lambda n, body: (400, {}, "{}") if n == 10 else None
    with pytest.raises(OracleFailure):
        judge(tmp_path, concurrency=2).compare(questions)
    asked = len(server.seen)
    assert asked <= 13
    server.fault = lambda n, body: None
    assert all(p[0, 1] == 1 for p in judge(tmp_path, concurrency=2).compare(questions))
    assert len(rows(tmp_path)) == 100  # two orders each, none twice
    assert len(server.seen) - asked >= 100 - 10 - 2


def test_an_answer_is_reused_only_for_the_very_same_question(ask, judge, server, tmp_path) -> None:
    question = [ask("q", "long one", "short")]
    judge(tmp_path).compare(question)
    judge(tmp_path, concurrency=1, retries=0).compare(question)
    assert len(server.seen) == 2
    for n, change in enumerate(
        [
            {"model": "other"},
            {"temperature": 0.5},
            {"max_tokens": 7},
            {"seed": 1},
            {"extra_body": {"top_p": 0.5}},
            {"template": "x " + TEMPLATE},
            {"contract": "tag"},
        ],
        start=1,
    ):
        tag = "<verdict>A</verdict>"
        server.answer = lambda body: tag if "tag" in str(change) else '{"verdict": "A"}'  # noqa: B023
        oracle = judge(tmp_path, **change)
        assert oracle.describe() != judge().describe()
        oracle.compare(question)
        assert len(server.seen) == 2 + 2 * n, change
    server.answer = longer_wins
    judge(tmp_path, repeats=2).compare(question)  # only the second repeats are new
    assert len(server.seen) == 2 + 2 * n + 2


def test_a_killed_run_asks_only_what_is_missing(ask, judge, server, tmp_path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from mnpo.conversation import Message\nfrom mnpo.training.data.prompts import Prompt\n"
        "from mnpo.training.oracles.base import Question\n"
        "from mnpo.training.oracles.judge import Judge\n"
        "from mnpo.training.oracles.settings import JudgeSettings\n"
        f"s = JudgeSettings(model='m', url={server.url!r}, template={TEMPLATE!r}, concurrency=2)\n"
        "qs = [Question(Prompt((Message('user', f'q{n}'),)), ('long one', 'short'))\n"
        "      for n in range(20)]\n"
        f"Judge(s, folder=Path({str(tmp_path)!r})).compare(qs)\n"
    )
    server.fault = lambda n, body: time.sleep(0 if n < 15 else 60)
    child = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 60
        while len(server.seen) < 17 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert len(server.seen) == 17  # 15 answered, 2 in flight
    assert len(rows(tmp_path)) == 15
    server.fault = lambda n, body: None
    questions = [ask(f"q{n}", "long one", "short") for n in range(20)]
    assert all(p[0, 1] == 1 for p in judge(tmp_path).compare(questions))
    assert len(server.seen) == 17 + 25
    judge(tmp_path).compare(questions)
    assert len(server.seen) == 17 + 25
