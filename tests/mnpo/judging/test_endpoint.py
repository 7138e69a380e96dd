import asyncio
import json
import logging
import math
import random
from datetime import date
from urllib.parse import quote

import pytest

from mnpo.errors import InvalidSetting
from mnpo.judging.bodies import MOST_BODY
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Usage
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.failures import FAILED, REFUSED, AskingStopped
from mnpo.judging.limits import Limits
from mnpo.judging.replies import NoCompletion, read_reply
from mnpo.judging.secrecy import hide
from mnpo.judging.settings import EndpointSettings
from mnpo.validation import check

SECRET = 'sk-"not\\to-be-seen-1234567890'


@pytest.fixture
def ask(endpoint, tmp_path):
    """Asks calls through an endpoint with these settings; returns the executor and its report."""

    def run(calls, limits=None, **settings):
        cache = AnswerCache(tmp_path / "answers.sqlite")
        judge = EndpointJudge(endpoint(**settings))
        executor = Executor(judge, cache, limits=limits or Limits(2, re_asks=1))
        return executor, executor.ask(calls)

    return run


def test_settings_go_before_what_the_benchmark_prescribes(ask, server, make_call) -> None:
    call = make_call(1, parameters={"temperature": 0.7, "max_tokens": 9, "logprobs": True})
    ask([call])
    ask([call], temperature=0.0, max_tokens=5, extra_body={"top_p": 0.5})
    ask([call], omit=["temperature", "logprobs"], extra_body={"max_completion_tokens": 50})
    sent = [{k: v for k, v in b.items() if k not in ("model", "messages")} for b in server.bodies]
    assert sent == [
        {"temperature": 0.7, "max_tokens": 9, "logprobs": True},
        {"temperature": 0.0, "max_tokens": 5, "logprobs": True, "top_p": 0.5},
        {"max_completion_tokens": 50},
    ]
    assert server.bodies[0]["model"] == "m"
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "question 1"}]


def test_seeds_differ_between_repeats_and_re_asks(ask, server, make_call, completion) -> None:
    server.answer = lambda text, nth, body, headers: completion(text, nth, "no")
    ask([make_call(1, repeat=n) for n in range(3)], seed=7)
    seeds = [body["seed"] for body in server.bodies]
    assert len(set(seeds)) == 6
    assert {7, 8, 9} < set(seeds)


def test_the_key_is_nowhere_but_at_the_server(
    ask, endpoint, server, make_call, completion, monkeypatch, caplog, tmp_path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("JUDGE_KEY", SECRET)
    settings = {"api_key_env": "JUDGE_KEY", "retries": 0}

    def echo(text, nth, body, headers):
        more = {"X-Echo": SECRET}
        if text == "question 1":
            return 200, more, completion(text, nth, f"you said {SECRET}\nverdict: A")
        if text == "question 2":
            return 400, more, {"error": {"message": f"{'x' * 280} bad {SECRET}", "code": SECRET}}
        if text == "question 3":
            return 200, more, {"choices": f"{'x' * 60}{SECRET}"}
        return 200, more, completion(text, nth, f"{'x' * 60}{SECRET}")

    server.answer = echo
    executor, report = ask([make_call(n) for n in range(1, 5)], **settings)
    outcomes = [executor.outcome(make_call(n)) for n in range(1, 5)]
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {SECRET}"}
    assert outcomes[0].reply == "you said [key]\nverdict: A"
    assert report.answered == 1
    server.answer = lambda text, nth, body, headers: (401, {}, {"error": {"message": SECRET}})
    with pytest.raises(AskingStopped, match=r"refuses the request: status 401") as caught:
        ask([make_call(9)], **settings)
    told = [
        *map(repr, outcomes),
        repr(report),
        str(caught.value),
        repr(vars(executor.judge)),
        repr(executor.judge.describe()),
        caplog.text,
    ]
    for part in (SECRET, SECRET[:14], "not-to-be", "to-be-seen"):  # nor a piece of it
        assert not any(part in text for text in told)
        for path in tmp_path.iterdir():
            assert part.encode() not in path.read_bytes()
    assert "[key]" in caplog.text  # the logs were on, and said it


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def test_a_key_that_comes_back_in_escapes_is_hidden_too(
    ask, server, make_call, completion, monkeypatch, caplog, tmp_path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("JUDGE_KEY", SECRET)

    def body(text, nth, content, **more):
        made = json.dumps(completion(text, nth, content, **more))
        return made.replace("KEY", escaped(SECRET)).replace("TWICE", escaped(escaped(SECRET)))

    def echo(text, nth, sent, headers):
        return {
            "question 1": (200, {}, body(text, nth, "KEY and TWICE\nverdict: A")),
            "question 2": (200, {}, body(text, nth, None, refusal="not to KEY")),
            "question 3": (200, {}, f'{{"choices": "{escaped(SECRET)}"}}'),
            "question 4": (400, {}, f'{{"error": {{"message": "{escaped(SECRET)}"}}}}'),
        }[text]

    server.answer = echo
    calls = [make_call(n) for n in range(1, 5)]
    executor, report = ask(calls, api_key_env="JUDGE_KEY", retries=0)
    outcomes = [executor.outcome(call) for call in calls]
    assert outcomes[0].reply == "[key] and [key]\nverdict: A"
    assert report.answered == 1
    told = [*map(repr, outcomes), repr(report), caplog.text]
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir()]
    for part in (SECRET, "to-be-seen", escaped("to-be"), escaped(SECRET)[:40]):
        assert not any(part in text for text in told)


@pytest.mark.parametrize(
    "key", ["sk-abc/def+123==", "a\\\"b\\\\c'd%e12", "k\u00e9y-12345\U0001f600"]
)
def test_any_mixture_of_escapes_is_hidden(key) -> None:
    def spelled(letter):
        units = letter.encode("utf-16-be").hex()
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))

    for seed in range(100):
        dice = random.Random(seed)
        ways = (str, lambda letter: json.dumps(letter)[1:-1], spelled)
        mixed = "".join(dice.choice(ways)(letter) for letter in key)
        for form in (mixed, json.dumps(mixed)[1:-1], quote(key, safe="")):
            assert hide(f"x {form} y %", key) == "x [key] y %"


def test_first_tokens_do_not_tell_the_key(
    endpoint, server, make_call, completion, monkeypatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", SECRET)
    made = completion("q", 0, "A")
    top = [{"token": " KEY", "logprob": -1.0}]
    made["choices"][0]["logprobs"] = {"content": [{"top_logprobs": top}]}
    body = json.dumps(made).replace("KEY", escaped(escaped(SECRET)))
    server.answer = lambda *_: (200, {}, body)

    async def first():
        async with EndpointJudge(endpoint(api_key_env="JUDGE_KEY")) as judge:
            return (await judge.answer(make_call(1), 0)).first_token

    assert asyncio.run(first()) == ((" [key]", -1.0),)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_follows_a_server_that_sends_elsewhere(
    ask, server, make_call, monkeypatch, status
) -> None:
    monkeypatch.setenv("JUDGE_KEY", SECRET)
    more = {"Location": f"{server.url}/chat/completions?x={quote(SECRET, safe='')}"}
    server.answer = lambda *_: (status, more, {})
    with pytest.raises(AskingStopped, match=rf"status {status}.*{server.url}/chat") as caught:
        ask(map(make_call, range(5)), Limits(1), api_key_env="JUDGE_KEY")
    assert len(server.bodies) == caught.value.report.spend.requests == 1
    assert "[key]" in str(caught.value)
    assert "to-be-seen" not in str(caught.value)


@pytest.mark.parametrize("patient", [False, True])
def test_an_endless_body_is_a_failure_and_not_stored(
    ask, server, make_call, completion, patient
) -> None:
    big = json.dumps(completion("q", 0, f"{'x' * MOST_BODY}\nverdict: A"))

    def say(text, nth, body, headers):
        assert "gzip" not in headers.get("accept-encoding", "")
        return (200, {}, big) if nth < 2 else completion(text, nth, "verdict: B")

    server.answer = say
    executor, report = ask([make_call(1)], retries=2 if patient else 0)
    if not patient:
        assert report.missing == {FAILED: 1}
        assert "longer than" in executor.outcome(make_call(1)).missing
    else:
        assert executor.outcome(make_call(1)).value == "B"
        assert report.spend.faults == {"unreadable body": 2}


def test_a_short_key_maims_no_words(ask, server, make_call, monkeypatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "verdict")
    _, report = ask([make_call(1)], api_key_env="JUDGE_KEY")
    assert report.answered == 1


def test_the_openai_packages_own_variables_are_not_used(
    ask, server, make_call, monkeypatch
) -> None:
    for name in ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "CUSTOM_HEADERS"):
        monkeypatch.setenv(f"OPENAI_{name}", "X-Mine: of-another-server")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ask([make_call(1)])
    (headers,) = server.headers
    assert headers["authorization"] == "Bearer none"
    assert not {"x-mine", "openai-organization", "openai-project"} & set(headers)
    assert "of-another-server" not in str(headers)


def test_a_missing_key_is_said_before_anything_is_done(endpoint) -> None:
    with pytest.raises(InvalidSetting, match="api_key_env: the environment variable NO_KEY is not"):
        EndpointJudge(endpoint(api_key_env="NO_KEY"))


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_all_calls_would_meet_ends_the_run(ask, server, make_call, status) -> None:
    server.answer = lambda *_: (status, {}, {"error": {"message": "no"}})
    with pytest.raises(AskingStopped, match=f"status {status}"):
        ask(map(make_call, range(50)), Limits(1))
    assert len(server.bodies) == 1


def test_an_empty_account_ends_the_run_although_429_usually_passes(ask, server, make_call) -> None:
    error = {"message": "You exceeded your quota", "code": "insufficient_quota"}
    server.answer = lambda *_: (429, {}, {"error": error})
    with pytest.raises(AskingStopped, match="exceeded your quota"):
        ask([make_call(1)])
    assert len(server.bodies) == 1


def test_no_connection_is_the_judge_down_and_no_request(ask, make_call) -> None:
    with pytest.raises(AskingStopped, match="failed 2 times: no connection") as caught:
        ask([make_call(1)], url="http://127.0.0.1:9/v1", retries=1)
    spend = caught.value.report.spend
    assert (spend.requests, spend.unreported, spend.faults) == (0, 0, {"no connection": 2})


def test_one_refused_request_costs_only_itself(ask, server, make_call, completion, truth) -> None:
    server.answer = lambda text, nth, body, headers: (
        (400, {}, {"error": {"message": "too long"}})
        if text == "question 3"
        else completion(text, nth, f"verdict: {truth(text)}")
    )
    executor, report = ask(map(make_call, range(8)))
    assert (report.answered, report.missing) == (7, {REFUSED: 1})
    assert "status 400: " in executor.outcome(make_call(3)).missing


def test_a_server_that_asks_for_too_much_patience(ask, server, make_call) -> None:
    server.answer = lambda *_: (429, {"Retry-After": "3600"}, {})
    executor, report = ask([make_call(1)])
    assert report.missing == {FAILED: 1}
    assert (
        "asks to wait 3600 s, longer than max_wait (2 s)" in executor.outcome(make_call(1)).missing
    )


def test_a_reply_without_usage_is_counted_as_such(ask, server, make_call) -> None:
    message = {"content": "verdict: A"}
    server.answer = lambda *_: {"choices": [{"message": message}], "usage": {"prompt_tokens": -1}}
    executor, report = ask([make_call(1)])
    assert executor.outcome(make_call(1)).usage is None
    assert (report.spend.requests, report.spend.unreported) == (1, 1)


def test_a_question_with_half_a_character_is_sent(ask, server, make_call) -> None:
    _, report = ask([make_call(1, text="a\ud83db\x00<b>&")])
    assert report.answered == 1
    assert server.bodies[0]["messages"][0]["content"] == "a\ufffdb\x00<b>&"


TOP = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -9999.0}]


@pytest.mark.parametrize(
    ("logprobs", "first"),
    [
        ({"content": [{"top_logprobs": TOP}]}, (("A", -0.1), ("B", -9999.0))),
        ({"content": []}, None),
        ({"content": [{"top_logprobs": []}]}, None),
        ({"content": [{"top_logprobs": [{"token": "A"}]}]}, None),
        ({"content": [{"top_logprobs": [{"token": "A", "logprob": "x"}]}]}, None),
        ({"content": [{"top_logprobs": [{"token": "A", "logprob": math.nan}]}]}, None),
        ({"content": [{"top_logprobs": [{"token": "A", "logprob": 2.0}]}]}, None),
        (None, None),
    ],
)
def test_first_tokens(completion, logprobs, first) -> None:
    import json

    body = completion("q", 0, "A", finish="length")
    body["choices"][0]["logprobs"] = logprobs
    reply = read_reply(json.dumps(body))
    assert reply.first_token == first
    assert (reply.unusable is None) == (first is not None)  # cut, but its first token is whole
    assert isinstance(reply.usage, Usage)


@pytest.mark.parametrize(
    "body", ["", "[", "[" * 100_000, "null", "{}", '{"choices": [{"message": {"content": 7}}]}']
)
def test_no_completion(body) -> None:
    with pytest.raises(NoCompletion):
        read_reply(body)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"url": "host/v1"}, "must start with http"),
        ({"url": "https://me:pw@host/v1"}, "holds a password"),
        ({"url": "https://host/v1?api-key=x"}, "must end with its path"),
        ({"url": "https://host/v1#x"}, "must end with its path"),
        ({"extra_body": {"api_key": "x"}}, "holds 'api_key'"),
        ({"extra_body": {"api-key": "x"}}, "holds 'api-key'"),
        ({"extra_body": {"a": [{"b": {"Authorization": "x"}}]}}, "holds 'a.b.Authorization'"),
        ({"price_input": 1.0}, "give both price_input and price_output"),
        ({"price_input": -1.0, "price_output": 1.0}, "must be at least 0"),
        ({"tempratur": 1}, "did you mean 'temperature'"),
        ({"concurrency": 0}, "must be at least 1"),
        ({"concurrency": 10**6}, "must be at most 4096"),
        ({"url": "http://127.0.0.1:99999/v1"}, "port"),
        ({"url": "http://127.0.0.1:0/v1"}, "port"),
        ({"url": "http://127.0.0.1:x/v1"}, "port"),
        ({"url": "http://[::1/v1"}, "names no host"),
        ({"url": "http://[zz]/v1"}, "names no host"),
        ({"url": "http://"}, "names no host"),
        ({"url": "http://:80/v1"}, "names no host"),
        ({"url": "http://a..b/v1"}, "names no host"),
        ({"url": "http://%zz/v1"}, "names no host"),
        ({"url": f"http://{'a' * 64}/v1"}, "names no host"),
        ({"url": "http://host/v1\n"}, "character that no address has"),
        ({"url": "http://ho\x1bst/v1"}, "character that no address has"),
        ({"url": "http://host /v1"}, "character that no address has"),
        ({"api_key_env": "sk-abc"}, "names no variable"),
        ({"api_key_env": ["abc"]}, "names no variable"),
        ({"api_key_env": ""}, "names no variable"),
        ({"extra_body": {"a": [math.nan]}}, "extra_body: holds nan"),
        ({"extra_body": {"a": {"b": -math.inf}}}, "extra_body: holds -inf"),
        ({"extra_body": {"a": date(2020, 1, 1)}}, "extra_body: holds a date"),
    ],
)
def test_a_mistake_in_the_settings_gets_one_line(values, why) -> None:
    with pytest.raises(InvalidSetting, match=why) as caught:
        check(EndpointSettings, {"model": "m", "url": "http://h/v1", **values})
    assert "\n" not in str(caught.value)
    assert "abc" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://h/v1",
        "https://judge.example:8443/a/v1",
        "http://[::1]:80/v1",
        "http://10.0.0.1/v1",
        "http://my_host.local./v1",
        "https://bücher.example/v1",
    ],
)
def test_addresses_of_servers(url) -> None:
    assert check(EndpointSettings, {"model": "m", "url": url}).url == url


@pytest.mark.parametrize("given", ["AIzaSyD0c0a0b0", "AKIAIOSFODNN7EXAMPLE", "sk_live_abc123"])
def test_a_key_in_the_place_of_its_variable_is_not_repeated(endpoint, given) -> None:
    with pytest.raises(InvalidSetting, match="names no variable") as caught:
        EndpointJudge(endpoint(api_key_env=given))
    assert given not in str(caught.value)
