"""Asking a model that is only to be had behind a chat endpoint: no weights, no token ids.

Its answers are fetched by the executor that asks judges, with its store of answers, its patience
and its budget. The server applies a chat template of its own, which nobody here sees.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from evaluation.answers.generate import Answered
from evaluation.answers.settings import AnswerSettings
from evaluation.records import Answer, ModelAnswers, Question
from mnpo.conversation import Message
from mnpo.judging.calls import Call, Outcome, Reply
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.replies import CUT
from mnpo.judging.settings import EndpointSettings
from mnpo.runs.files import digest


class Said:
    """Whatever a model says is its answer: also nothing, a refusal, or a text that was cut."""

    name = "answers/text@1"
    choices: tuple[str, ...] = ()
    lead = ""

    def read(self, reply: Reply) -> dict[str, Any]:
        """``{"text", "finished"}``, as `Speaker` writes it."""
        found: dict[str, Any] = json.loads(reply.text)
        return found


class Speaker:
    """A model under evaluation, in the place of a judge; see `mnpo.judging.calls.Judge`."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._endpoint = EndpointJudge(settings, called="models[].endpoint")
        self.name = self._endpoint.name

    def describe(self) -> dict[str, Any]:
        """Model and address."""
        return {**self._endpoint.describe(), "kind": "answers"}

    def parameters(self, call: Call) -> Mapping[str, Any]:
        """The benchmark's, under the endpoint's own settings."""
        return self._endpoint.parameters(call)

    async def __aenter__(self) -> "Speaker":
        await self._endpoint.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._endpoint.__aexit__(*error)

    async def answer(self, call: Call, attempt: int) -> Reply:
        """What it says, and whether it ended by itself."""
        reply = await self._endpoint.answer(call, attempt)
        said = {"text": reply.text, "finished": reply.unusable != CUT}
        return Reply(json.dumps(said), usage=reply.usage)


def questions_calls(
    questions: Sequence[Question],
    turn: int,
    given: Mapping[str, Sequence[str]],
    settings: AnswerSettings,
) -> Iterator[tuple[Question, Call]]:
    """What a model is asked in one turn.

    Args:
        questions: of one benchmark.
        turn: from 0.
        given: the model's answers so far, by question; a question without as many is not asked.
        settings: temperature and longest answer, under the benchmark's own.
    """
    for question in questions:
        earlier = given.get(question.id, ())
        if turn >= len(question.turns) or len(earlier) != turn:
            continue
        messages = [Message("system", question.system)] if question.system else []
        for text, said in zip(question.turns, earlier, strict=False):
            messages += [Message("user", text), Message("assistant", said)]
        temperature = settings.temperature
        if temperature is None:
            temperature = question.temperature or 0.0
        limit = min(settings.max_new_tokens, question.max_tokens or settings.max_new_tokens)
        parameters: dict[str, Any] = {"temperature": temperature, "max_tokens": limit}
        if temperature > 0 and settings.top_p < 1:
            parameters["top_p"] = settings.top_p
        yield (
            question,
            Call(
                item=f"{question.id}/turn-{turn + 1}",
                messages=(*messages, Message("user", question.turns[turn])),
                contract=Said(),
                template=f"answers/{digest(question.system)[:12]}",
                parameters=parameters,
                question=question.id,
            ),
        )


def ask_endpoint(
    questions: Sequence[Question], name: str, executor: Executor, settings: AnswerSettings
) -> Answered:
    """The model's answers to all questions, turn by turn.

    Args:
        questions: of one benchmark.
        name: the model is listed under.
        executor: over a `Speaker`.
        settings: how.

    Raises:
        UserError: the endpoint does not answer; what came is kept.
    """
    given: dict[str, list[str]] = {q.id: [] for q in questions}
    finished: dict[str, list[bool]] = {q.id: [] for q in questions}
    unanswered: dict[str, str] = {}
    read = written = 0
    for turn in range(max((len(q.turns) for q in questions), default=0)):
        calls = list(questions_calls(questions, turn, given, settings))
        executor.ask(call for _, call in calls)
        for question, call in calls:
            outcome = executor.outcome(call)
            if outcome.value is None:
                unanswered[question.id] = outcome.missing
                continue
            given[question.id].append(outcome.value["text"])
            finished[question.id].append(outcome.value["finished"])
            used = _tokens([outcome])
            read, written = read + used[0], written + used[1]
    answers = {
        q.id: Answer(tuple(given[q.id]), finished=tuple(finished[q.id]))
        for q in questions
        if q.id not in unanswered
    }
    known = {"endpoint": digest(executor.judge.describe())}
    return Answered(ModelAnswers(name, answers, known), unanswered, (read, written))


def _tokens(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    usages = [own.usage for own in outcomes if own.usage is not None]
    return sum(u.prompt_tokens for u in usages), sum(u.completion_tokens for u in usages)
