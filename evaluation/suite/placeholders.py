"""Answers in the place of those that are to come, where only what will be asked matters."""

from collections.abc import Sequence

from evaluation.records import Answer, ModelAnswers, Question

#: Characters to a token.
CHARACTERS = 4


def placeholders(model: str, questions: Sequence[Question], max_tokens: int) -> ModelAnswers:
    """Texts of the full length, different for every model: judges are not asked about equal ones.

    Args:
        model: whose.
        questions: that are to be answered.
        max_tokens: longest answer, where a question allows no less.
    """
    answers = {}
    for question in questions:
        length = CHARACTERS * min(max_tokens, question.max_tokens or max_tokens)
        text = f"{model} {'x' * length}"[: max(length, len(model) + 1)]
        answers[question.id] = Answer(turns=tuple(text for _ in question.turns))
    return ModelAnswers(model, answers)
