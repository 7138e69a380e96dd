"""The verdict tag: which of two answers is better, said in the last line of a reply.

A judge may think aloud, and may quote an answer that imitates a verdict. So what counts is the last
line alone, and only where it is the tag and nothing else; a reply in which another tag says
something else has no verdict at all.
"""

import re
import string
from typing import Literal, TypeAlias

from mnpo.judging.calls import InvalidReply

Verdict: TypeAlias = Literal["A", "B", "tie"]

#: How a judge is told to answer.
INSTRUCTION = (
    "Think first if you need to, then end with exactly one line <verdict>A</verdict>, "
    "<verdict>B</verdict> or <verdict>tie</verdict>."
)
#: What such a reply ends with, up to the verdict itself.
LEAD = "<verdict>"

_VERDICTS: dict[str, Verdict] = {"a": "A", "b": "B", "tie": "tie"}
_TAG = re.compile(r"<verdict>([^<]*)(</verdict>)?", re.IGNORECASE)
#: May stand around the tag: white space, emphasis and code marks.
_MARKS = string.whitespace + "*`"


def read_tag(reply: str) -> Verdict:
    """The verdict in a reply's last line; case does not matter.

    Raises:
        InvalidReply: there is no tag, the last line (without blank ones and code fences) holds
            more than one tag, the verdict is none, or another tag contradicts it.
    """
    tags = [(found[1].strip(), found[2] is not None) for found in _TAG.finditer(reply)]
    if not any(closed for _, closed in tags):
        raise InvalidReply("it has no <verdict> tag")
    line = reply.strip(_MARKS).rpartition("\n")[2].strip(_MARKS)
    last = _TAG.fullmatch(line)
    if last is None or last[2] is None:
        raise InvalidReply("its last line is not one <verdict> tag and nothing else")
    said = last[1].strip()
    verdict = _VERDICTS.get(said.lower())
    if verdict is None:
        raise InvalidReply(f"verdict {said[:40]!r} is none of A, B, tie")
    # One that is never closed counts where it names a verdict; else it is a word about the form.
    others = [text for text, closed in tags if closed or text.lower() in _VERDICTS]
    if any(_VERDICTS.get(text.lower()) != verdict for text in others):
        raise InvalidReply("its <verdict> tags contradict one another")
    return verdict
