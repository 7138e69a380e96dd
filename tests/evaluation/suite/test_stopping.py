"""Stopping early: who is asked, what is scored, and that a failed verdict stays missing."""

import asyncio
import json

import pytest

from evaluation.mini.benchmark import open_benchmark
from evaluation.records import Answer, ModelAnswers
from evaluation.suite.numbers import is_graded, number_of, question_values
from evaluation.suite.stopping import ask_until_narrow
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Call, Outcome, Reply
from mnpo.judging.executor import Executor
from mnpo.judging.limits import Limits

MINI = open_benchmark()
ANSWERS = ModelAnswers("m", {q.id: Answer((f"text {q.id}",)) for q in MINI.questions()})


class Fickle:
    """Prefers the model, but has nothing valid to say about some questions."""

    name = "fickle"

    def __init__(self, silent=()):
        self.silent, self.asked = silent, set()

    def describe(self):
        return {"kind": "fickle"}

    def parameters(self, call):
        return call.parameters

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass

    async def answer(self, call: Call, attempt: int) -> Reply:
        await asyncio.sleep(0)
        self.asked.add(call.question)
        if call.question in self.silent:
            return Reply("no comment")
        return Reply("", preference=0.9 if call.order == "AB" else 0.1)


def run(judge, width):
    executor = Executor(judge, AnswerCache(), limits=Limits(re_asks=0))

    def ask(parts):
        executor.ask(call for own in parts for call in MINI.calls(own))

    return ask_until_narrow(MINI, [ANSWERS], executor.outcome, ask, width, seed=1), executor


def test_a_random_part_is_asked_and_only_that_is_scored() -> None:
    stopped, executor = run(judge := Fickle(), 70.0)
    assert judge.asked == set(stopped.questions)
    assert len(stopped.questions) < 40
    part = MINI.only(stopped.questions)
    assert {q.id for q in part.questions()} == judge.asked
    (score,) = part.score([ANSWERS], executor.outcome, judge="fickle").models
    assert (score.n, score.missing) == (len(stopped.questions), 0)
    assert score.score.value == pytest.approx(90)
    assert f"{len(stopped.questions)} of 40" in stopped.note


def test_a_width_that_is_never_reached_asks_about_all() -> None:
    stopped, _ = run(judge := Fickle(), 0.01)
    assert len(judge.asked) == 40
    assert stopped.note == ""


def test_questions_without_a_whole_verdict_are_not_watched() -> None:
    silent = {q.id for q in MINI.questions()[::2]}
    _, executor = run(Fickle(silent), 0.01)
    values = question_values(MINI, ANSWERS, executor.outcome)
    assert set(values) == {q.id for q in MINI.questions()} - silent
    assert set(values.values()) == {0.9}


def test_half_a_pair_counts_for_nothing_and_the_same_text_for_a_tie() -> None:
    first = MINI.questions()[0].id
    own = ModelAnswers("m", {first: Answer(("text",))})
    outcome = {"AB": Outcome(1.0), "BA": Outcome(None, "gone")}
    assert question_values(MINI, own, lambda call: outcome[call.order]) == {}

    class NoCalls:
        def calls(self, answers):
            return iter(())

    assert question_values(NoCalls(), own, lambda call: Outcome(None)) == {first: 0.5}


@pytest.mark.parametrize(
    ("order", "value", "number"),
    [
        ("AB", "A>>B", 1.0),
        ("AB", "A=B", 0.5),
        ("AB", "B>A", 0.0),
        ("BA", "A>B", 0.0),
        ("BA", "B", 1.0),
        ("AB", "C", 0.5),
        ("AB", "tie", 0.5),
        ("BA", 0.8, pytest.approx(0.2)),
        ("AB", {"preference": 1.25, "read": "text"}, 0.75),
        ("BA", {"preference": 1.25, "read": "text"}, 0.25),
        ("", 7, 7.0),
    ],
)
def test_verdicts_as_numbers_of_the_model(order, value, number) -> None:
    call = Call("x", (), None, "t", order=order)
    assert number_of(call, value) == number


def test_comparisons_are_no_grades() -> None:
    assert not is_graded(MINI, [ANSWERS])
    assert json.dumps(MINI.hashes())
