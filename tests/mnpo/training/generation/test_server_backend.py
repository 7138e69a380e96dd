"""The server backend against a server of our own that can be told to misbehave."""

import http.server
import json
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.generation.server_backend import ServerBackend
from mnpo.training.generation.server_requests import Retries
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenDrift, contract_of

POLICY = PolicyCheckpoint(Path("the/policy"), "hash")
OTHER = PolicyCheckpoint(Path("another"), "other")
QUICK = Retries(attempts=4, first_pause=0.01, longest_pause=0.05, timeout=0.5)


@pytest.fixture(scope="module")
def tokenizer():
    """One token a byte, with a BOS that it puts in front of any text by itself."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<s>", "</s>", "<end>", *alphabet]
    core = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<end>"],
    )
    made.chat_template = (
        "<s>{% for m in messages %}{{ m['role'] }}:{{ m['content'] }}<end>{% endfor %}"
    )
    return made


class FakeServer:
    """Answers with ``text`` (and its ids), after the troubles that it has been told to make."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.requests = []
        self.troubles = []  # made once each, before anything else
        self.refuse = set()  # names of fields it does not accept
        self.refuse_ids = False
        self.returns_ids = True
        self.say = lambda body: ("hi", "stop")
        self.running = self.peak = 0
        self.delay = 0.0
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def drawn(self):
        return [body for body in self.requests if body["max_tokens"] > 1]


class _Handler(http.server.BaseHTTPRequestHandler):
    fake: FakeServer

    def do_POST(self):
        fake = self.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with fake.lock:
            fake.requests.append(body | {"auth": self.headers["Authorization"]})
            trouble = fake.troubles.pop(0) if fake.troubles else None
            fake.running += 1
            fake.peak = max(fake.peak, fake.running)
        try:
            time.sleep(fake.delay)
            self._answer(body, trouble)
        finally:
            with fake.lock:
                fake.running -= 1

    def _answer(self, body, trouble):
        fake = self.fake
        if isinstance(trouble, int):
            return self._send(trouble, b'{"error": {"message": "told to"}}')
        if trouble == "hang":
            time.sleep(1.0)
            return None
        if trouble == "hang up":
            self.connection.close()
            return None
        refused = fake.refuse & set(body)
        if refused or (fake.refuse_ids and not isinstance(body["prompt"], str)):
            return self._send(422, json.dumps({"detail": f"unexpected {refused}"}).encode())
        reply = json.dumps(self._reply(body)).encode()
        if trouble == "cut JSON":
            return self._send(200, reply[: len(reply) // 2])
        if trouble == "cut body":
            return self._send(200, reply[: len(reply) // 2], length=len(reply))
        if trouble == "no choices":
            return self._send(200, b'{"id": "x", "object": "text_completion", "choices": []}')
        return self._send(200, reply)

    def _reply(self, body):
        fake = self.fake
        text, reason = fake.say(body)
        prompt = body["prompt"]
        if isinstance(prompt, str):
            prompt = fake.tokenizer(prompt)["input_ids"]
        ids = fake.tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += [2] if reason == "stop" else []
        choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": None}
        if fake.returns_ids and body.get("return_token_ids"):
            choice |= {"token_ids": ids, "prompt_token_ids": prompt}
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(ids)}
        usage["total_tokens"] = sum(usage.values())
        return {
            "id": "x",
            "object": "text_completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
            "usage": usage,
        }

    def _send(self, status, content, length=None):
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/v1/other")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def fake(tokenizer):
    server = FakeServer(tokenizer)
    yield server
    server.close()


@pytest.fixture
def backend(fake, tokenizer):
    def make(token_ids="returned", retries=QUICK, sampling=(), **server):
        values = {"backend": "server", "max_new_tokens": 3, **dict(sampling)}
        values["server"] = {"url": fake.url, "token_ids": token_ids, "concurrency": 4, **server}
        settings = SamplingSettings.model_validate(values)
        return ServerBackend(settings, contract_of(tokenizer), tokenizer, retries)

    return make


def draw(backend, prompts, counts, seed=0):
    with backend.open(((POLICY, 1.0),)) as sampler:
        return sampler.draw(prompts, counts, seed=seed)


def prompt(tokenizer, text="ab"):
    return tokenizer(text)["input_ids"]


def test_ids_go_out_and_come_back_in_input_order(fake, backend, tokenizer):
    fake.say = lambda body: (tokenizer.decode(body["prompt"][1:]), "stop")
    prompts = [prompt(tokenizer, text) for text in ("a", "bc", "d")]
    answers = draw(backend(sampling={"top_k": 5, "temperature": 0.7}), prompts, [2, 0, 3])
    assert [len(row) for row in answers] == [2, 0, 3]
    assert {c.ids for c in answers[0]} == {(*prompts[0][1:], 2)}
    assert {c.ids for c in answers[2]} == {(*prompts[2][1:], 2)}
    assert all(c.finished for row in answers for c in row)
    [body, *_] = fake.drawn()
    assert body["model"] == "the/policy"
    assert body["prompt"] in prompts
    assert body["top_k"] == 5
    assert body["temperature"] == 0.7
    assert body["stop_token_ids"] == [1, 2]
    assert body["repetition_penalty"] == 1.0


def test_every_completion_has_its_own_seed_and_the_seeds_repeat(fake, backend, tokenizer):
    seeds = []
    for seed in (0, 0, 1):
        fake.requests.clear()
        draw(backend(), [prompt(tokenizer)] * 2, [3, 3], seed=seed)
        seeds.append(Counter(body["seed"] for body in fake.drawn()))
        assert len(seeds[-1]) == 6
    assert seeds[0] == seeds[1]
    assert not seeds[0] & seeds[2]


def test_no_more_requests_are_in_flight_than_allowed(fake, backend, tokenizer):
    fake.delay = 0.02
    draw(backend(concurrency=3), [prompt(tokenizer)], [12])
    assert fake.peak == 3


@pytest.mark.parametrize(
    "trouble", [500, 503, 429, "hang", "hang up", "cut JSON", "cut body", "no choices"]
)
def test_a_moments_trouble_is_retried(fake, backend, tokenizer, trouble):
    fake.troubles = [trouble, trouble]
    [[completion]] = draw(backend(), [prompt(tokenizer)], [1])
    assert completion.finished
    assert len(fake.requests) == 4  # two in trouble, the form agreed on, the completion


@pytest.mark.parametrize("trouble", [500, "cut JSON", "hang up"])
def test_lasting_trouble_is_one_line_that_says_how_to_go_on(fake, backend, tokenizer, trouble):
    fake.troubles = [None] + [trouble] * 20
    with pytest.raises(UserError, match=r"no usable answer in 4 attempts.*start the same run") as e:
        draw(backend(), [prompt(tokenizer)], [1])
    assert "\n" not in str(e.value)
    assert len(fake.requests) == 5


def test_the_first_failure_ends_the_others(fake, backend, tokenizer):
    fake.troubles = [None] + [500] * 1000
    with backend().open(((POLICY, 1.0),)) as sampler:
        with pytest.raises(UserError, match="4 attempts"):
            sampler.draw([prompt(tokenizer)], [100], seed=0)
        time.sleep(0.1)  # those in flight arrive
        sent = len(fake.requests)
        assert sent < 60
        time.sleep(0.2)
        assert len(fake.requests) == sent


def test_pauses_grow_and_are_jittered(fake, backend, tokenizer):
    patient = Retries(attempts=4, first_pause=0.1, longest_pause=0.2, timeout=1)
    fake.troubles = [None, 500, 500, 500]
    start = time.monotonic()
    draw(backend(retries=patient), [prompt(tokenizer)], [1])
    assert 0.25 < time.monotonic() - start < 2  # half of 0.1 + 0.2 + 0.2 at least


def test_the_key_comes_from_the_environment_and_its_refusal_is_final(
    fake, backend, tokenizer, monkeypatch
):
    with pytest.raises(UserError, match="variable MY_KEY is not set"):
        draw(backend(api_key_env="MY_KEY"), [prompt(tokenizer)], [1])
    monkeypatch.setenv("MY_KEY", "sesame")
    draw(backend(api_key_env="MY_KEY"), [prompt(tokenizer)], [1])
    assert fake.requests[-1]["auth"] == "Bearer sesame"
    fake.troubles = [401]
    with pytest.raises(UserError, match="refuses the key") as error:
        draw(backend(api_key_env="MY_KEY"), [prompt(tokenizer)], [1])
    assert "sesame" not in str(error.value)


def test_a_redirect_is_not_followed(fake, backend, tokenizer):
    fake.troubles = [307] * 9
    with pytest.raises(UserError, match=r"sends elsewhere \(status 307, to /v1/other\)"):
        draw(backend(), [prompt(tokenizer)], [1])
    assert len(fake.requests) == 1


def test_a_key_in_the_place_of_its_variable_is_not_repeated(fake, backend, tokenizer):
    with pytest.raises(UserError, match="names no variable") as error:
        draw(backend(api_key_env="AIzaSyD0c0a0b0"), [prompt(tokenizer)], [1])
    assert "AIza" not in str(error.value)


def test_a_server_without_ids_is_refused_where_they_are_wanted(fake, backend, tokenizer):
    fake.returns_ids = False
    with pytest.raises(UserError, match=r"returns no token ids; set sampling\.server\.token_ids"):
        draw(backend(), [prompt(tokenizer)], [1])


def test_a_cut_response_is_unfinished_and_an_early_cut_is_refused(fake, backend, tokenizer):
    for how in ("returned", "retokenized"):
        fake.say = lambda body: ("abc", "length")
        [[completion]] = draw(backend(how), [prompt(tokenizer)], [1])
        assert not completion.finished
        assert len(completion.ids) == 3
        fake.say = lambda body: ("ab"[: body["max_tokens"]], "length")
        with pytest.raises(UserError, match="cut a response after 2 of 3 tokens"):
            draw(backend(how), [prompt(tokenizer)], [1])


def test_text_becomes_ids_with_the_end_of_the_chat_template(fake, backend, tokenizer):
    fake.say = lambda body: ("yo", "stop")
    [[completion]] = draw(backend("retokenized"), [prompt(tokenizer)], [1])
    assert completion.ids == (*tokenizer("yo", add_special_tokens=False)["input_ids"], 2)
    assert completion.finished


def test_a_server_of_transformers_gets_text_and_a_generation_config(fake, backend, tokenizer):
    fake.refuse = {"top_k"}
    draw(backend("retokenized", sampling={"top_k": 7}), [prompt(tokenizer, "héllo")], [1])
    [body] = fake.drawn()[-1:]
    assert body["prompt"] == "héllo"  # the server adds the BOS, so it is not sent
    config = json.loads(body["generation_config"])
    assert config["do_sample"] is True
    assert config["top_k"] == 7
    assert config["eos_token_id"] == [1, 2]


def test_a_plain_server_will_do_without_truncation_only(fake, backend, tokenizer):
    fake.refuse = {"top_k", "generation_config"}
    draw(backend("retokenized"), [prompt(tokenizer)], [1])
    assert set(fake.requests[-1]) == set(
        "model prompt max_tokens temperature top_p seed auth".split()
    )
    with pytest.raises(UserError, match="accepts no form of /completions request"):
        draw(backend("retokenized", sampling={"top_k": 7}), [prompt(tokenizer)], [1])


@pytest.mark.parametrize("text", ["a\ufffd", "a<end>b", ""])
def test_text_that_stands_for_no_ids_is_drawn_again_with_another_seed(
    fake, backend, tokenizer, text
):
    replies = iter([("", "stop"), (text, "length" if not text else "stop"), ("ok", "stop")])
    fake.say = lambda body: next(replies)
    with backend("retokenized").open(((POLICY, 1.0),)) as sampler:
        fake_usage_off(fake)
        [[completion]] = sampler.draw([prompt(tokenizer)], [1], seed=0)
    assert tokenizer.decode(completion.ids[:-1]) == "ok"
    seeds = [body["seed"] for body in fake.requests]
    assert len(seeds) == len(set(seeds)) == 3


def fake_usage_off(fake):
    """Some servers count nothing."""
    handler = fake.http.RequestHandlerClass
    original = handler._reply
    handler._reply = lambda self, body: original(self, body) | {"usage": None}


def test_a_greedy_answer_cut_within_a_character_ends_before_it(fake, backend, tokenizer):
    """Another draw would be cut at the same place."""
    fake.say = lambda body: ("ab\ufffd", "length")
    fake_usage_off(fake)
    greedy = backend("retokenized", sampling={"top_k": 1})
    [[completion]] = draw(greedy, [prompt(tokenizer)], [1])
    assert tokenizer.decode(completion.ids) == "ab"
    assert not completion.finished
    with pytest.raises(UserError, match="8 times in a row"):
        draw(backend("retokenized"), [prompt(tokenizer)], [1])


def test_redraws_have_a_limit(fake, backend, tokenizer):
    fake.say = lambda body: ("a\ufffd", "stop")
    with pytest.raises(UserError, match="8 times in a row"):
        draw(backend("retokenized"), [prompt(tokenizer)], [1])


@pytest.mark.parametrize("how", ["returned", "retokenized"])
def test_a_server_with_another_tokenizer_is_noticed(fake, backend, tokenizer, how):
    class Doubling:
        def __call__(self, text, **options):
            ids = tokenizer(text, **options)["input_ids"]
            return {"input_ids": ids if options else [0, *ids]}

    fake.tokenizer = Doubling()
    fake.refuse_ids = how == "retokenized"
    if how == "returned":
        handler = fake.http.RequestHandlerClass
        original = handler._reply

        def other_prompt(self, body):
            reply = original(self, body)
            reply["choices"][0]["prompt_token_ids"][-1] = 9
            return reply

        handler._reply = other_prompt
    with pytest.raises(TokenDrift, match="the server read a prompt of"):
        draw(backend(how), [prompt(tokenizer)], [1])


def test_a_prompt_that_text_cannot_carry_is_refused(fake, backend, tokenizer):
    fake.refuse_ids = True
    split = [0, 130]  # one byte of a character of several
    with pytest.raises(TokenDrift, match="does not survive being sent as text"):
        draw(backend("retokenized"), [split], [1])


def test_other_numbers_of_tokens_are_reported(fake, backend, tokenizer, caplog):
    original = fake.http.RequestHandlerClass._reply

    def another_count(self, body):
        reply = original(self, body)
        reply["usage"]["completion_tokens"] += 1
        return reply

    fake.http.RequestHandlerClass._reply = another_count
    draw(backend("retokenized"), [prompt(tokenizer)], [4])
    assert "4 of 4 responses have another number of tokens" in caplog.text


def test_mixtures_and_missing_servers_are_refused(backend, tokenizer):
    with (
        pytest.raises(InvalidSetting, match="backend server cannot sample"),
        backend().open(((POLICY, 0.5), (OTHER, 0.5))),
    ):
        pass
    with (
        pytest.raises(InvalidSetting, match="exactly one of"),
        backend(command=["x"]).open(((POLICY, 1.0),)),
    ):
        pass


def test_nothing_asked_is_nothing_sent(fake, backend, tokenizer):
    assert draw(backend(), [prompt(tokenizer)], [0]) == [[]]
    assert fake.requests == []
