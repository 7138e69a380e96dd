"""The form of a judge's answer, declared in the question and demanded of the reply."""

import json
import re
from typing import Literal, TypeAlias

from mnpo.judging import verdict_tag
from mnpo.judging.calls import InvalidReply, Reply
from mnpo.judging.verdict_tag import Verdict, read_tag

Contract: TypeAlias = Literal["json", "tag"]

#: What the question says about the answer; ``{{ contract }}`` in a template.
INSTRUCTIONS: dict[Contract, str] = {
    "json": 'Answer with one JSON object and nothing else: {"verdict": "A"}, {"verdict": "B"} or '
    '{"verdict": "tie"}.',
    "tag": verdict_tag.INSTRUCTION,
}

_VERDICTS: dict[str, Verdict] = {"a": "A", "b": "B", "tie": "tie"}
_VERSIONS: dict[Contract, int] = {"json": 1, "tag": 2}
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


class VerdictContract:
    """A verdict in JSON or in tags, as `read_verdict` reads it.

    Args:
        form: which of the two.
    """

    def __init__(self, form: Contract) -> None:
        self.name = f"oracle/{form}@{_VERSIONS[form]}"
        self.choices: tuple[str, ...] = ("A", "B", "tie")
        self.lead = '{"verdict": "' if form == "json" else verdict_tag.LEAD
        self._form = form

    def read(self, reply: Reply) -> Verdict:
        """The verdict.

        Raises:
            InvalidReply: the reply breaks the contract.
        """
        return read_verdict(reply.text, self._form)


def read_verdict(reply: str, contract: Contract) -> Verdict:
    """The verdict of a reply that keeps the contract.

    "json": the reply is one JSON object, in a code fence or not, whose "verdict" is A, B or tie.
    "tag": its last line is a <verdict> tag and nothing else, and no other tag contradicts it (see
    `mnpo.judging.verdict_tag`). Case does not matter.

    Raises:
        InvalidReply: anything else.
    """
    return read_tag(reply) if contract == "tag" else _from_json(reply)


def _from_json(reply: str) -> Verdict:
    text = reply.strip()
    fenced = _FENCE.match(text)
    try:
        answer = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        raise InvalidReply("it is no JSON object") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("verdict"), str):
        raise InvalidReply('it has no "verdict"')
    verdict = _VERDICTS.get(answer["verdict"].strip().lower())
    if verdict is None:
        raise InvalidReply(f"verdict {answer['verdict'][:40]!r} is none of A, B, tie")
    return verdict
