"""The judge's question, in which an answer cannot end its own quotation.

Each text stands between lines that carry a code, the hash of the request and both answers. An
answer that wanted to close its quotation would have to contain a hash of itself and of the answer
it is compared with; should a code occur in a text all the same, the next one is taken. So markup
in an answer stays visibly a part of the answer. That is no guarantee against a judge who obeys
what it reads: such answers are to be flagged, and the judge's instructions say so.
"""

from functools import lru_cache

from evaluation.mini.questions import TEMPLATE, packaged
from mnpo.conversation import Message
from mnpo.judging.verdict_tag import INSTRUCTION
from mnpo.runs.files import digest
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.comparison import ComparisonTemplate

_LENGTH = 16  # hexadecimal digits: 64 bits


def judge_question(prompt: str, first: str, second: str) -> tuple[Message, ...]:
    """What the judge reads, with ``first`` as A and ``second`` as B."""
    text = _template().render(
        Prompt((Message("user", prompt),)),
        first,
        second,
        mark=code(prompt, first, second),
        contract=INSTRUCTION,
    )
    return (Message("user", text),)


def code(*texts: str) -> str:
    """A code that none of the texts contains, always the same for the same texts."""
    turn = 0
    while True:
        found = digest([turn, *texts])[:_LENGTH]
        if not any(found in text for text in texts):
            return found
        turn += 1


@lru_cache(maxsize=1)
def _template() -> ComparisonTemplate:
    # jinja2 in its sandbox; answers are values, never parts of the template.
    return ComparisonTemplate(packaged(TEMPLATE), "judge", extra=("mark", "contract"))
