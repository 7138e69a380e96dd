"""The form of a judge's answer, declared in the question and demanded of the reply."""

import json
import re
from typing import Literal, TypeAlias

from mnpo.judging.calls import InvalidReply, Reply

Verdict: TypeAlias = Literal["A", "B", "tie"]
Contract: TypeAlias = Literal["json", "tag"]

#: What the question says about the answer; ``{{ contract }}`` in a template.
INSTRUCTIONS: dict[Contract, str] = {
    "json": 'Answer with one JSON object and nothing else: {"verdict": "A"}, {"verdict": "B"} or '
    '{"verdict": "tie"}.',
    "tag": "Think first if you need to, then end with exactly one line <verdict>A</verdict>, "
    "<verdict>B</verdict> or <verdict>tie</verdict>.",
}

_VERDICTS: dict[str, Verdict] = {"a": "A", "b": "B", "tie": "tie"}
_TAG = re.compile(r"<verdict>(.*?)</verdict>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


class VerdictContract:
    """A verdict in JSON or in tags, as `read_verdict` reads it.

    Args:
        form: which of the two.
    """

    def __init__(self, form: Contract) -> None:
        self.name = f"oracle/{form}@1"
        self.choices: tuple[str, ...] = ("A", "B", "tie")
        self.lead = '{"verdict": "' if form == "json" else "<verdict>"
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
    "tag": the reply has <verdict> tags, and they all say the same. Case does not matter.

    Raises:
        InvalidReply: anything else.
    """
    found = _from_json(reply) if contract == "json" else _from_tags(reply)
    verdict = _VERDICTS.get(found.strip().lower())
    if verdict is None:
        raise InvalidReply(f"verdict {found[:40]!r} is none of A, B, tie")
    return verdict


def _from_json(reply: str) -> str:
    text = reply.strip()
    fenced = _FENCE.match(text)
    try:
        answer = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        raise InvalidReply("it is no JSON object") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("verdict"), str):
        raise InvalidReply('it has no "verdict"')
    return str(answer["verdict"])


def _from_tags(reply: str) -> str:
    found = {str(verdict).strip().lower() for verdict in _TAG.findall(reply)}
    if not found:
        raise InvalidReply("it has no <verdict> tag")
    if len(found) > 1:
        raise InvalidReply("its <verdict> tags contradict one another")
    return found.pop()
