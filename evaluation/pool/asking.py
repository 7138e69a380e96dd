"""The questions to a judge: all pairs of models, every question, both orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.records import Answer, ModelAnswers, Question
from evaluation.scores import all_pairs
from mnpo.conversation import Message
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Call, Comparison, Contract
from mnpo.runs.files import digest

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).parent / "templates" / "judge.jinja"
#: As the calls ask for; a judge's own settings go before them.
PARAMETERS = {"temperature": 0.0, "max_tokens": 1024}


@dataclass(frozen=True)
class Meeting:
    """Two models' answers to one question.

    Attributes:
        question: asked of both.
        first, second: models, in the pool's order.
        sample: which of several answers.
        answers: of the first and of the second.
    """

    question: Question
    first: str
    second: str
    sample: int
    answers: tuple[Answer, Answer]

    @property
    def alike(self) -> bool:
        """The same text twice: a tie whoever judges, about which nobody is asked."""
        return self.answers[0].turns == self.answers[1].turns


def by_model(answers: Sequence[ModelAnswers]) -> dict[str, list[ModelAnswers]]:
    """Models in the order given, each with its samples.

    Raises:
        InvalidSetting: fewer than two models.
    """
    found: dict[str, list[ModelAnswers]] = {}
    for own in answers:
        found.setdefault(own.model, []).append(own)
    if len(found) < 2:
        raise InvalidSetting("cross-play needs at least two models")
    return found


def meetings(questions: Sequence[Question], answers: Sequence[ModelAnswers]) -> Iterator[Meeting]:
    """Every pair of models on every question that both answered.

    A model's k-th sample meets the others' k-th: every answer is used once against every
    opponent, and both sides of a meeting are independent draws.

    Raises:
        UserError: an answer of another number of turns than its question.
    """
    pool = by_model(answers)
    for question in questions:
        own = {
            model: [s.answers[question.id] for s in samples if question.id in s.answers]
            for model, samples in pool.items()
        }
        for model, given in own.items():
            if any(len(answer.turns) != len(question.turns) for answer in given):
                raise UserError(
                    f"{model}, question {question.id}: the answer has another number of turns "
                    f"than the question's {len(question.turns)}"
                )
        for first, second in all_pairs(list(pool)):
            for sample, pair in enumerate(zip(own[first], own[second], strict=False)):
                yield Meeting(question, first, second, sample, pair)


def calls_of(
    meeting: Meeting, *, template: str, contract: Contract, repeats: int
) -> list[tuple[Call, Call]]:
    """Both orders, (first shown first, second shown first), for every repeat; none where alike.

    Args:
        meeting: of two answers.
        template: Jinja text; see `TEMPLATE` for what it is given.
        contract: the form of the verdict.
        repeats: how often the same is asked.
    """
    if meeting.alike:
        return []
    made = []
    for repeat in range(repeats):
        one, two = (_call(meeting, template, contract, order, repeat) for order in ("AB", "BA"))
        made.append((one, two))
    return made


def render(template: str, question: Question, first: Answer, second: Answer) -> str:
    """The question to the judge.

    The lines around the material carry a mark that is a hash of the material: no answer can hold
    its own.

    Raises:
        UserError: the template fails.
    """
    from jinja2 import TemplateError

    told = [question.system, list(question.turns), list(first.turns), list(second.turns)]
    turns = [
        {"user": user, "first": one, "second": two}
        for user, one, two in zip(question.turns, first.turns, second.turns, strict=True)
    ]
    try:
        return _compiled(template).render(
            mark=f"text-{digest(told)[:12]}", system=question.system, turns=turns
        )
    except TemplateError as error:
        raise UserError(f"cross-play: the judge template fails ({error})") from None


def template_name(template: str) -> str:
    """Name and hash."""
    return f"cross-play@{digest(template)[:12]}"


def _call(meeting: Meeting, template: str, contract: Contract, order: str, repeat: int) -> Call:
    question = meeting.question
    first, second = meeting.answers if order == "AB" else meeting.answers[::-1]
    comparison = None
    if len(question.turns) == 1:
        # Later turns have two histories: only a judge that reads can compare them.
        told = (Message("system", question.system),) if question.system else ()
        prompt = (*told, Message("user", question.turns[0]))
        comparison = Comparison(prompt, first.turns[0], second.turns[0])
    sample = f"/sample-{meeting.sample + 1}" if meeting.sample else ""
    return Call(
        item=f"{question.id}/{meeting.first} and {meeting.second}{sample}",
        question=question.id,
        messages=(Message("user", render(template, question, first, second)),),
        contract=contract,
        template=template_name(template),
        parameters=PARAMETERS,
        order=order,
        repeat=repeat,
        comparison=comparison,
    )


@cache
def _compiled(template: str) -> "Template":
    from jinja2 import StrictUndefined, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
    )
    try:
        return environment.from_string(template)
    except TemplateSyntaxError as error:
        raise UserError(f"cross-play: the judge template has an error ({error})") from None


def check_opponents(opponents: Mapping[str, float], models: Sequence[str]) -> dict[str, float]:
    """Shares that sum to one.

    Raises:
        InvalidSetting: an opponent that is no model of the pool, a weight that is negative or not
            finite, or none above 0.
    """
    from mnpo.errors import suggest

    for name, weight in opponents.items():
        if name not in models:
            raise InvalidSetting(f"opponents: no model '{name}'{suggest(name, models)}")
        if not 0 <= weight < float("inf"):
            raise InvalidSetting(f"opponents: the weight of '{name}' is {weight!r}")
    total = sum(opponents.values())
    if not total > 0:
        raise InvalidSetting("opponents: no weight is above 0")
    return {name: weight / total for name, weight in opponents.items()}
