"""Asking the embedded model: turns, limits, what cannot be asked, and what is kept."""

import pytest

from evaluation.answers.generate import generate, open_model
from evaluation.answers.settings import AnswerSettings
from evaluation.records import Question
from mnpo.training.models.settings import ModelSettings
from mnpo.training.stages import StageStore

GREEDY = AnswerSettings(max_new_tokens=12)


@pytest.fixture(scope="module")
def tiny():
    return open_model("tiny", ModelSettings(name="tiny"))


@pytest.fixture
def ask(tiny, tmp_path):
    events = []

    def run(questions, settings=GREEDY):
        stages = StageStore(tmp_path / "stages")
        stages.listen = lambda event, *rest: events.append(event)
        return generate(questions, tiny, settings, stages, "cpu")

    run.events = events
    return run


def test_every_turn_sees_the_answers_before_it(ask, tiny) -> None:
    alone = ask([Question("a", ("What do you like?",))])
    both = ask([Question("a", ("What do you like?", "Why?"))])
    assert both.answers.answers["a"].turns[0] == alone.answers.answers["a"].turns[0]
    assert len(both.answers.answers["a"].turns) == 2
    # greedy: the second turn is what the model says when the conversation is given to it whole
    first = both.answers.answers["a"].turns[0]
    from mnpo.conversation import Message
    from mnpo.training.data.encoding import encode_prompt
    from mnpo.training.data.prompts import Prompt
    from mnpo.training.models.loading import load_policy

    said = (Message("user", "What do you like?"), Message("assistant", first))
    ids = encode_prompt(tiny.tokenizer, Prompt((*said, Message("user", "Why?"))))
    model = load_policy(tiny.policy, tiny.settings, "cpu", for_training=False)
    import torch

    made = model.generate(
        torch.tensor([ids]), do_sample=False, max_new_tokens=12, pad_token_id=tiny.contract.pad_id
    )[0, len(ids) :]
    expected = tiny.tokenizer.decode(made, skip_special_tokens=True)
    assert both.answers.answers["a"].turns[1] == expected
    assert both.tokens[0] > len(ids)


def test_what_was_answered_is_not_asked_again(ask) -> None:
    questions = [Question(str(i), (f"Tell me about rain number {i}.",)) for i in range(5)]
    first = ask(questions)
    assert "started" in ask.events
    ask.events.clear()
    assert ask(questions) == first
    assert set(ask.events) == {"reused"}


def test_a_benchmark_may_prescribe_temperature_and_length(ask) -> None:
    plain = Question("a", ("What do you like?",))
    hot = Question("b", ("What do you like?",), temperature=1.0, max_tokens=3)
    found = ask([plain, hot]).answers.answers
    assert len(found["b"].tokens) == 1
    assert found["b"].tokens[0] <= 3 < found["a"].tokens[0]
    over = ask([plain, hot], AnswerSettings(max_new_tokens=12, temperature=0.0)).answers.answers
    assert over["a"] == found["a"]
    assert over["a"].turns[0].startswith(over["b"].turns[0])


def test_what_cannot_be_asked_is_unanswered_and_said(ask) -> None:
    found = ask(
        [
            Question("ok", ("What do you like?",)),
            Question("mark", ("What is <|end|> for?",)),
            Question("long", ("soup " * 600,)),
        ]
    )
    assert set(found.answers.answers) == {"ok"}
    assert "'<|end|>'" in found.unanswered["mark"]
    assert "the model reads 512" in found.unanswered["long"]


def test_a_long_prompt_leaves_a_shorter_answer(ask) -> None:
    text = "rain and soup " * 80
    found = ask([Question("a", (text,))], AnswerSettings(max_new_tokens=480))
    (tokens,) = found.answers.answers["a"].tokens
    assert tokens < 480
