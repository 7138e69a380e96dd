"""A preference oracle of the trainer as a judge: no words, no template, a win probability."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.judges.batching import Batcher
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Comparison, Reply, Usage
from mnpo.judging.failures import JudgeRefusal
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.base import PreferenceOracle, Question


class OracleJudge:
    """Answers calls that compare two answers with P(the first one shown beats the second).

    Args:
        oracle: any.
        name: for tables and files; None takes the oracle's.
        batch_size: comparisons that the oracle gets at a time.
    """

    def __init__(
        self, oracle: PreferenceOracle, *, name: str | None = None, batch_size: int = 32
    ) -> None:
        self.name = name or oracle.name
        self._oracle = oracle
        self._batcher = Batcher(self._compare, batch_size)

    def describe(self) -> dict[str, Any]:
        """The oracle's own description; neither the name nor the size of batches."""
        return {"kind": "oracle", "oracle": self._oracle.describe()}

    def parameters(self, call: Call) -> Mapping[str, Any]:
        """An oracle has no sampling, and writes nothing."""
        return {"max_tokens": 0}

    async def __aenter__(self) -> "OracleJudge":
        await self._batcher.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._batcher.__aexit__(*error)

    async def answer(self, call: Call, attempt: int) -> Reply:
        """`Reply.preference`, and no text.

        Raises:
            JudgeRefusal: the call compares nothing, or the oracle failed on it.
        """
        if call.comparison is None:
            raise JudgeRefusal(
                f"{call.item}: '{self.name}' is an oracle and compares two answers; it cannot "
                "grade one: take a judge of kind endpoint or local-model for this benchmark"
            )
        try:
            preference = await self._batcher.ask(call.comparison)
        except UserError as error:
            raise JudgeRefusal(f"{call.item}: {error}") from None
        return Reply(text="", preference=preference, usage=Usage(0, 0))

    def _compare(self, comparisons: Sequence[Comparison]) -> list[float | Exception]:
        questions = [Question(Prompt(c.prompt), (c.first, c.second)) for c in comparisons]
        try:
            return [float(matrix[0, 1]) for matrix in self._oracle.compare(questions)]
        except UserError as error:
            if len(comparisons) == 1:
                return [error]
        # One comparison that cannot be answered must not cost the others theirs.
        return [found for one in comparisons for found in self._compare([one])]
