"""Asking a model: every turn of every question, through the trainer's backends and stages.

Prompts and answers keep the trainer's token contract, and answers are stages of the run: what a
killed run had is not generated again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.answers.settings import AnswerSettings
from evaluation.records import Answer, ModelAnswers, Question
from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.training.data.encoding import ControlToken, encode_prompt
from mnpo.training.data.groups import Response
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.data.prompts import Prompt
from mnpo.training.generation.build import build_backend
from mnpo.training.models.hashing import adapter_base, read_config
from mnpo.training.models.loading import load_contract, load_tokenizer, require_loadable
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.resolve import resolve
from mnpo.training.models.settings import ModelSettings
from mnpo.training.online.sampling import SamplingTask, sample_groups
from mnpo.training.seeds import seed_for
from mnpo.training.stages import StageStore
from mnpo.training.tokens import TokenContract

#: Answers' limits are rounded down to a multiple of this where a long prompt leaves little room,
#: so that few different limits come up: each of them is a pass of its own over the model.
ROOM_STEP = 64


@dataclass(frozen=True, eq=False)
class AnsweringModel:
    """A model that is ready to be asked.

    Attributes:
        name: it is listed under.
        policy: its files.
        settings: how it is loaded.
        tokenizer, contract: its own.
        room: positions it can read and write together; None where its config names no limit.
    """

    name: str
    policy: PolicyCheckpoint
    settings: ModelSettings
    tokenizer: Any
    contract: TokenContract
    room: int | None


@dataclass(frozen=True)
class Answered:
    """What came of asking.

    Attributes:
        answers: of the questions that were answered whole.
        unanswered: the other questions' ids, and why.
        tokens: prompt and completion tokens that were read and written for them, all turns.
    """

    answers: ModelAnswers
    unanswered: Mapping[str, str]
    tokens: tuple[int, int]


def open_model(name: str, settings: ModelSettings) -> AnsweringModel:
    """Find a model and read its tokenizer; its weights are loaded when it is asked.

    Raises:
        UserError: it is not there, damaged, or has no chat template.
    """
    policy = resolve(settings)
    require_loadable(policy, settings)
    trusted = settings.trust_remote_code
    config = read_config((adapter_base(policy.path) or policy.path) / "config.json")
    room = config.get("text_config", config).get("max_position_embeddings")
    return AnsweringModel(
        name=name,
        policy=policy,
        settings=settings,
        tokenizer=load_tokenizer(policy, trust_remote_code=trusted),
        contract=load_contract(policy, trust_remote_code=trusted),
        room=room if isinstance(room, int) else None,
    )


def generate(
    questions: Sequence[Question],
    model: AnsweringModel,
    settings: AnswerSettings,
    stages: StageStore,
    device: str,
) -> Answered:
    """The model's answers to all questions.

    A question is unanswered, and said to be, where its prompt leaves the model no room, holds one
    of the tokenizer's control tokens, or brings no token at all; nothing stands in for an answer.

    Args:
        questions: of one benchmark.
        model: who is asked.
        settings: how.
        stages: where finished answers are kept.
        device: for models in this process.

    Raises:
        UserError: from the backend.
    """
    asking = _Asking(questions, model, settings, stages, device)
    for turn in range(max((len(q.turns) for q in questions), default=0)):
        asking.ask(turn)
    answers = {
        q.id: _answer(asking.given[q.id]) for q in questions if q.id not in asking.unanswered
    }
    return Answered(
        ModelAnswers(model.name, answers, {"policy": model.policy.sha256}),
        asking.unanswered,
        (asking.read, sum(sum(answer.tokens or ()) for answer in answers.values())),
    )


class _Asking:
    """Turn by turn: what was said so far, and who has dropped out."""

    def __init__(
        self,
        questions: Sequence[Question],
        model: AnsweringModel,
        settings: AnswerSettings,
        stages: StageStore,
        device: str,
    ) -> None:
        self.unanswered: dict[str, str] = {}
        self.given: dict[str, list[Response]] = {q.id: [] for q in questions}
        self.read = 0
        self._questions = questions
        self._model = model
        self._settings = settings
        self._stages = stages
        self._device = device

    def ask(self, turn: int) -> None:
        kinds: dict[tuple[float, int], list[tuple[Question, PreparedPrompt]]] = defaultdict(list)
        for question in self._questions:
            if turn >= len(question.turns) or question.id in self.unanswered:
                continue
            try:
                prepared = self._prepare(question, turn)
            except ControlToken as error:
                self.unanswered[question.id] = str(error)
                continue
            limit = self._limit(question, len(prepared.ids))
            if limit < 1:
                self.unanswered[question.id] = (
                    f"turn {turn + 1} is {len(prepared.ids)} tokens long and the model reads "
                    f"{self._model.room}"
                )
                continue
            kinds[self._temperature(question), limit].append((question, prepared))
        for (temperature, limit), asked in sorted(kinds.items(), key=lambda item: item[0]):
            self._sample(turn, temperature, limit, asked)

    def _prepare(self, question: Question, turn: int) -> PreparedPrompt:
        messages = [Message("system", question.system)] if question.system else []
        for text, response in zip(question.turns, self.given[question.id], strict=False):
            messages += [Message("user", text), Message("assistant", response.text)]
        prompt = Prompt((*messages, Message("user", question.turns[turn])))
        ids = encode_prompt(self._model.tokenizer, prompt, allow_empty_answers=True)
        return PreparedPrompt(prompt, ids)

    def _limit(self, question: Question, prompt_tokens: int) -> int:
        wanted = self._settings.max_new_tokens
        if question.max_tokens is not None:
            wanted = min(wanted, question.max_tokens)
        if self._model.room is None:
            return wanted
        left = self._model.room - prompt_tokens
        if left >= wanted:
            return wanted
        return left - left % ROOM_STEP if left > ROOM_STEP else left

    def _temperature(self, question: Question) -> float:
        if self._settings.temperature is not None:
            return self._settings.temperature
        return question.temperature or 0.0

    def _sample(
        self,
        turn: int,
        temperature: float,
        limit: int,
        asked: Sequence[tuple[Question, PreparedPrompt]],
    ) -> None:
        model = self._model
        sampling = self._settings.sampling(temperature, limit)
        backend = build_backend(
            sampling, model.settings, model.tokenizer, self._device, model.contract
        )
        dataset = sample_groups(
            self._stages,
            SamplingTask(
                prompts=[prepared for _, prepared in asked],
                components=((((model.policy, 1.0),), 1.0),),
                responses=1,
                seed=seed_for(self._settings.seed, "answers", turn),
            ),
            backend=backend,
            settings=sampling,
            contract=model.contract,
            tokenizer=model.tokenizer,
        )
        for (question, prepared), group in zip(asked, dataset.groups, strict=True):
            self.read += len(prepared.ids)
            if group.responses:
                self.given[question.id].append(group.responses[0])
            else:
                self.unanswered[question.id] = f"turn {turn + 1} brought no token at all"


def _answer(responses: Sequence[Response]) -> Answer:
    return Answer(
        turns=tuple(r.text for r in responses),
        tokens=tuple(len(r.ids) for r in responses),
        finished=tuple(r.finished for r in responses),
    )


def require_answers(answered: Answered) -> None:
    """Refuse a model that answered nothing at all.

    Raises:
        UserError: with the first reason.
    """
    if not answered.answers.answers and answered.unanswered:
        name, why = next(iter(answered.unanswered.items()))
        raise UserError(f"{answered.answers.model} answered no question; {name}: {why}")
