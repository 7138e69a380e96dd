import hashlib

import pytest

from evaluation.records import Answer, ModelAnswers
from mnpo.judging.calls import InvalidReply, Outcome, Reply


def answers_of(benchmark, model="m", text=None, leave_out=()):
    """Own answers, or the same to every question."""
    return ModelAnswers(
        model,
        {
            q.id: Answer((f"{model} on {q.id}" if text is None else text,))
            for q in benchmark.questions()
            if q.id not in leave_out
        },
    )


def by_reply(reply):
    """Looks up outcomes as the executor would make them of ``reply(call)``."""

    def verdicts(call):
        try:
            return Outcome(call.contract.read(reply(call)), reply=reply(call).text)
        except InvalidReply as error:
            return Outcome(None, missing=str(error), reply=reply(call).text)

    return verdicts


def spread(call):
    """A number in [0, 1) that depends on the question, the order and the repeat."""
    text = f"{call.messages[0].content} {call.repeat}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def oracle(call):
    return Reply("", preference=spread(call))


def talker(call):
    word = "A" if spread(call) < 0.4 else "B" if spread(call) < 0.8 else "tie"
    return Reply(f"I thought about it.\n<verdict>{word}</verdict>\n")


@pytest.fixture
def tools():
    """The functions above, for tests and their naive twins."""
    from types import SimpleNamespace

    return SimpleNamespace(
        answers_of=answers_of, by_reply=by_reply, spread=spread, oracle=oracle, talker=talker
    )
