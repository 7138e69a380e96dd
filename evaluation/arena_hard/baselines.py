"""The baselines' answers, for every question that is asked."""

from collections.abc import Mapping, Sequence

from evaluation.arena_hard.answers_file import StoredAnswer, read_answers
from evaluation.arena_hard.config import CategoryPrompt
from evaluation.arena_hard.questions_file import ArenaQuestion
from evaluation.data.files import BenchmarkFiles
from mnpo.errors import UserError


def read_baselines(
    files: BenchmarkFiles,
    questions: Sequence[ArenaQuestion],
    prompts: Mapping[str, CategoryPrompt],
) -> dict[str, dict[str, StoredAnswer]]:
    """Answers by baseline and question.

    Raises:
        UserError: a file is of another model, or lacks an answer.
    """
    roles = ["baseline_answers"]
    if "creative_writing" in prompts:
        roles.append("baseline_answers_creative")
    paths = [files[role] for role in roles]
    found = read_answers(paths)
    for category, prompt in prompts.items():
        own = found.get(prompt.baseline, {})
        asked = [question for question in questions if question.category == category]
        lacking = [question.id for question in asked if question.id not in own]
        if lacking:
            raise UserError(
                f"{', '.join(map(str, paths))}: the baseline {prompt.baseline} has no answer to "
                f"{len(lacking)} of {len(asked)} questions of {category}, e.g. {lacking[0]}; found "
                f"answers of {', '.join(found) or 'nobody'}"
            )
    return found
