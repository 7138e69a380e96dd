"""Models behind chat endpoints: turns, cuts, what is asked once, what is missing."""

import pytest
from judge_server import JudgeServer

from evaluation.answers.endpoint import Speaker, ask_endpoint
from evaluation.answers.settings import AnswerSettings
from evaluation.records import Question
from mnpo.judging.cache import AnswerCache
from mnpo.judging.executor import Executor
from mnpo.judging.limits import Limits
from mnpo.judging.settings import EndpointSettings

QUESTIONS = (
    Question("one", ("What is a lamp?",), temperature=0.7, max_tokens=5),
    Question("two", ("Sing.", "Louder."), system="Be loud."),
)


def ask(server, cache=None, questions=QUESTIONS, **settings):
    endpoint = EndpointSettings(model="m", url=server.url, first_wait=0.01, retries=1)
    store = AnswerCache() if cache is None else cache
    executor = Executor(Speaker(endpoint), store, limits=Limits(re_asks=0))
    return ask_endpoint(questions, "m", executor, AnswerSettings(**settings)), executor


def test_every_turn_carries_the_conversation_and_the_benchmarks_settings() -> None:
    with JudgeServer(lambda text: f"<{text}>") as server:
        found, executor = ask(server, max_new_tokens=9)
    assert found.answers.answers["one"].turns == ("<What is a lamp?>",)
    assert found.answers.answers["two"].turns == ("<Sing.>", "<Louder.>")
    assert found.answers.answers["two"].finished == (True, True)
    assert found.unanswered == {}
    assert found.tokens == (300, 30)
    by_text = {body["messages"][-1]["content"]: body for body in server.bodies}
    assert by_text["What is a lamp?"]["temperature"] == 0.7
    assert by_text["What is a lamp?"]["max_tokens"] == 5
    assert by_text["Louder."]["temperature"] == 0
    assert by_text["Louder."]["max_tokens"] == 9
    assert [m["role"] for m in by_text["Louder."]["messages"]] == [
        *("system", "user", "assistant", "user")
    ]
    assert by_text["Louder."]["messages"][2]["content"] == "<Sing.>"
    assert executor.spend.requests == 3


def test_what_was_answered_is_not_asked_again(tmp_path) -> None:
    with JudgeServer(lambda text: text) as server, AnswerCache(tmp_path / "a.sqlite") as cache:
        first, _ = ask(server, cache)
        again, executor = ask(server, cache)
    assert again == first
    assert executor.spend.requests == 0


@pytest.mark.parametrize(
    ("reply", "finish", "text", "finished"),
    [("", "stop", "", True), ("abc", "length", "abc", False), ("no", "content_filter", "no", True)],
)
def test_silence_cuts_and_refusals_are_answers(reply, finish, text, finished) -> None:
    with JudgeServer(lambda text: reply, finish=finish) as server:
        found, _ = ask(server, questions=QUESTIONS[:1])
    answer = found.answers.answers["one"]
    assert (answer.turns, answer.finished) == ((text,), (finished,))


def test_a_question_that_the_server_refuses_is_unanswered() -> None:
    with JudgeServer(lambda text: text, refuse={"Sing."}) as server:
        found, _ = ask(server)
    assert set(found.answers.answers) == {"one"}
    assert "refused request" in found.unanswered["two"]
    assert "Louder." not in server.asked
