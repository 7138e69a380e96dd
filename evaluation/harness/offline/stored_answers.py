"""A language model that says what was stored.

This module imports lm_eval; import it where answers are about to be scored.
"""

from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import LM

from mnpo.errors import UserError


class StoredAnswers(LM):  # type: ignore[misc]  # published without types
    """Gives the answer to the document of each request, cut at the task's stop words.

    Args:
        answers: in the documents' order.
    """

    cut_prompts = 0

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__()
        self._answers = answers

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        """The stored answers; what follows a stop word a model would not have written."""
        found = []
        for request in requests:
            text = self._answers[request.doc_id]
            stops = request.args[1].get("until") or ()
            for stop in [stops] if isinstance(stops, str) else stops:
                if stop:
                    text = text.split(stop)[0]
            found.append(text)
        return found

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> Any:
        """Not stored."""
        raise UserError("texts have no log-likelihoods: give lm-eval's logged samples")

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> Any:
        """Not stored."""
        return self.loglikelihood(requests)
