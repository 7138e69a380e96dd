"""MT-Bench's questions and reference answers, read from the official files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.records import Question
from evaluation.rows import Row, read_rows
from mnpo.errors import UserError

#: Categories whose judge sees a reference answer. FastChat's code names them, no file does.
REFERENCE_GUIDED = frozenset({"math", "reasoning", "coding", "arena-hard-200"})
#: Temperature of the model's answer by category, from FastChat's gen_model_answer.py.
TEMPERATURES: Mapping[str, float] = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
    "arena-hard-200": 0.0,
}
#: Of every other category.
OTHER_TEMPERATURE = 0.7
#: Longest answer to one turn, FastChat's default.
MAX_TOKENS = 1024
#: The official question file holds the ids 81 to 160, of two turns each.
OFFICIAL_IDS = tuple(str(number) for number in range(81, 161))
OFFICIAL_TURNS = 2


@dataclass(frozen=True)
class QuestionSet:
    """What has to be judged.

    Attributes:
        turns: number of turns by question id, in the benchmark's order.
        categories: by question id; empty where no question file is at hand.
        source: for messages: where the ids come from.
    """

    turns: Mapping[str, int]
    categories: Mapping[str, str]
    source: str

    def cells(self) -> list[tuple[str, int]]:
        """Every question and turn."""
        return [(own, turn) for own, count in self.turns.items() for turn in range(1, count + 1)]


OFFICIAL = QuestionSet(
    dict.fromkeys(OFFICIAL_IDS, OFFICIAL_TURNS), {}, "MT-Bench's questions 81 to 160"
)


def question_set(questions: Iterable[Question], source: str) -> QuestionSet:
    """The ids, turns and categories of questions."""
    own = tuple(questions)
    return QuestionSet(
        {question.id: len(question.turns) for question in own},
        {question.id: question.category for question in own if question.category},
        source,
    )


def read_questions(path: Path) -> tuple[Question, ...]:
    """FastChat's question.jsonl, with the generation settings that FastChat prescribes.

    Raises:
        UserError: a row without id or turns, more than two turns, or an id that stands there twice.
    """
    found: dict[str, Question] = {}
    for row in read_rows(path):
        own = identity(row)
        if own in found:
            raise UserError(f"{row.where}: question {own} stands there twice")
        turns = _texts(row, row.values.get("turns"), "turns")
        if len(turns) > OFFICIAL_TURNS:
            raise UserError(
                f"{row.where}: {len(turns)} turns; the judge's templates know one or two"
            )
        category = row.text("category") if "category" in row.values else ""
        found[own] = Question(
            own,
            turns,
            category,
            temperature=TEMPERATURES.get(category, OTHER_TEMPERATURE),
            max_tokens=MAX_TOKENS,
        )
    if not found:
        raise UserError(f"{path}: holds no questions")
    return tuple(found.values())


def read_turns(path: Path) -> dict[str, tuple[str, ...]]:
    """Texts by question id from a file in FastChat's answer format, its first choice.

    Reference answers and a baseline's answers have it.

    Raises:
        UserError: a row without id or texts, or an id that stands there twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in read_rows(path):
        own = identity(row)
        if own in found:
            raise UserError(f"{row.where}: question {own} stands there twice")
        choices = row.values.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise UserError(f"{row.where}: choices must be a list of answers")
        found[own] = _texts(row, choices[0].get("turns"), "the first choice's turns")
    return found


def identity(row: Row) -> str:
    """A row's question id as text: 81 and "81" are the same question.

    Raises:
        UserError: it has none.
    """
    value = row.values.get("question_id")
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UserError(f"{row.where}: question_id must be a number or a text, got {value!r}")


def _texts(row: Row, value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(t, str) for t in value):
        raise UserError(f"{row.where}: {name} must be a list of texts")
    return tuple(value)
