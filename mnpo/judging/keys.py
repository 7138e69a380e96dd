"""What an answer is stored under: everything that it depends on, and nothing else."""

from typing import Any

from mnpo.judging.calls import Call, Judge
from mnpo.runs.files import digest


class Keys:
    """Keys of one judge's answers.

    Args:
        judge: its description is read once.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._described = digest(judge.describe())

    def key(self, call: Call) -> str:
        """Hex digest of the judge, what is sent, the contract, template, order and repeat.

        ``item`` and ``comparison`` are no part of it.
        """
        asked: dict[str, Any] = {
            "judge": self._described,
            "parameters": dict(self._judge.parameters(call)),
            "messages": [[message.role, message.content] for message in call.messages],
            "contract": call.contract.name,
            "template": call.template,
            "order": call.order,
            "repeat": call.repeat,
        }
        return digest(asked)
