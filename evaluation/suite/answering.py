"""All models' answers to one benchmark, generated or given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evaluation.answers.generate import Answered, generate, require_answers
from evaluation.records import ModelAnswers
from evaluation.suite.opening import Suite
from mnpo.training.stages import StageStore

#: Told what is going on: (what, done, total).
Listen = Callable[[str, int, int | None], None]
#: Asks a model behind an endpoint a benchmark's questions: (model, benchmark).
Speak = Callable[[str, str], Answered]


@dataclass(frozen=True)
class Answers:
    """Of all models to one benchmark, in the order of the settings.

    Attributes:
        models: their answers.
        unanswered: by model, why which questions have no answer.
        tokens: prompt and completion tokens that the models read and wrote.
    """

    models: tuple[ModelAnswers, ...]
    unanswered: Mapping[str, Mapping[str, str]]
    tokens: tuple[int, int]


def collect_answers(
    suite: Suite, name: str, stages: StageStore, speak: Speak, listen: Listen
) -> Answers:
    """Ask every model that has not answered yet.

    Args:
        suite: what is to be done.
        name: the benchmark's.
        stages: where generated answers are kept.
        speak: asks a model behind an endpoint.
        listen: told what is going on.

    Raises:
        UserError: a backend fails, or a model answers no question at all.
    """
    questions = suite.benchmarks[name].questions()
    models: list[ModelAnswers] = []
    unanswered: dict[str, Mapping[str, str]] = {}
    read = written = 0
    for number, own in enumerate(suite.settings.models):
        listen(f"{name}: {own.name} answers", number, len(suite.settings.models))
        if (own.name, name) in suite.given:
            models.append(suite.given[own.name, name])
            continue
        if own.name in suite.speakers:
            answered = speak(own.name, name)
        else:
            answered = generate(
                questions, suite.models[own.name], suite.settings.answers, stages, suite.device
            )
        require_answers(answered)
        models.append(answered.answers)
        if answered.unanswered:
            unanswered[own.name] = answered.unanswered
        read += answered.tokens[0]
        written += answered.tokens[1]
    listen(f"{name}: answered", len(suite.settings.models), len(suite.settings.models))
    return Answers(tuple(models), unanswered, (read, written))
