"""The form in which the judge must answer, and the preference that is read out of it.

A preference is the package's: 1 the answer shown first is better, 2 the second, 1.5 a draw, and
anything between with log-probabilities.
"""

import math
import threading
from typing import Any, Protocol
from unittest.mock import patch

from evaluation.alpaca_eval.annotator import Annotator
from evaluation.alpaca_eval.package import Silence, quietly
from mnpo.judging.calls import Contract, InvalidReply, Reply
from mnpo.runs.files import digest

#: Where a preference was read: a judge's log-probabilities, its words, or an oracle.
LOGPROBS, TEXT, ORACLE = "logprobs", "text", "oracle"
_LOCK = threading.Lock()


class AlpacaContract(Contract, Protocol):
    """Its values are ``{"preference": 1.93, "read": "logprobs"}``."""

    def read(self, reply: Reply) -> dict[str, Any]:
        """See `Contract.read`."""
        ...


def contract_of(annotator: Annotator) -> AlpacaContract:
    """The contract that does what the annotator's parser does."""
    if annotator.parser == "logprob_parser":
        return TokenContract(annotator)
    return TextContract(annotator)


def of_oracle(probability: float) -> dict[str, Any]:
    """From P(first beats second)."""
    return {"preference": 2.0 - probability, "read": ORACLE}


class TokenContract:
    """The reply's first token names the better answer: ``logprob_parser``.

    P(first) = P(numerator) / sum of P(denominators), over those of them that are among the tokens
    the judge reports; a token that is not has probability 0, and where none is there is no
    preference. With ``is_binarize``, 1 where the numerator is the likeliest, else 2.

    A server that reports no log-probabilities is read by its text, which must be one of the
    tokens: such preferences are 1 or 2 and marked as read from the text.
    """

    lead = ""

    def __init__(self, annotator: Annotator) -> None:
        settings = annotator.parser_settings
        self._numerator = str(settings["numerator_token"])
        self._denominators = tuple(map(str, settings["denominator_tokens"]))
        self._binarize = bool(settings.get("is_binarize", True))
        self.choices = tuple(dict.fromkeys((self._numerator, *self._denominators)))
        reading = digest([self._numerator, self._denominators, self._binarize])[:12]
        self.name = f"alpaca-eval/first-token@1/{reading}"

    def read(self, reply: Reply) -> dict[str, Any]:
        """The preference.

        Raises:
            InvalidReply: neither a token's probability nor the text says which is better.
        """
        if reply.preference is not None:
            return of_oracle(reply.preference)
        if reply.choices is not None:
            return {"preference": self._preference(dict(reply.choices)), "read": LOGPROBS}
        if reply.first_token is not None:
            return {"preference": self._preference(dict(reply.first_token)), "read": LOGPROBS}
        text = reply.text.strip()
        if text not in self.choices:
            raise InvalidReply(f"neither log-probabilities nor one of {self._listed()}")
        return {"preference": 1.0 if text == self._numerator else 2.0, "read": TEXT}

    def _preference(self, reported: dict[str, float]) -> float:
        found = {token: reported[token] for token in self.choices if token in reported}
        if not found or max(found.values()) == -math.inf:
            raise InvalidReply(f"none of {self._listed()} is among the first token's candidates")
        if self._binarize:
            own = found.get(self._numerator, -math.inf)
            others = (found.get(t, -math.inf) for t in self.choices if t != self._numerator)
            return 1.0 if all(own > other for other in others) else 2.0
        largest = max(found.values())
        weights = {token: math.exp(own - largest) for token, own in found.items()}
        total = sum(weights.get(token, 0.0) for token in self._denominators)
        if total <= 0 or (share := weights.get(self._numerator, 0.0) / total) > 1:
            raise InvalidReply(f"the candidates {sorted(found)} give no probability")
        return 2.0 - share

    def _listed(self) -> str:
        return " or ".join(repr(token) for token in self.choices)


class TextContract:
    """The reply's text names the better answer; the package's own parser reads it."""

    choices: tuple[str, ...] = ()
    lead = ""

    def __init__(self, annotator: Annotator) -> None:
        self._parser, self._settings = annotator.parser, dict(annotator.parser_settings)
        reading = digest([self._parser, repr(sorted(self._settings.items(), key=str))])[:12]
        self.name = f"alpaca-eval/{self._parser}@1/{reading}"

    def read(self, reply: Reply) -> dict[str, Any]:
        """The preference.

        Raises:
            InvalidReply: the parser finds none, or several.
        """
        if reply.preference is not None:
            return of_oracle(reply.preference)
        module = quietly("alpaca_eval.completion_parsers")
        settings = {
            key: dict(value) if isinstance(value, dict) else value  # its parser writes into them
            for key, value in self._settings.items()
        }
        try:
            with _LOCK, patch.object(module, "logging", Silence()):
                found = getattr(module, self._parser)(reply.text, **settings)
            (value,) = found
            number = float(value)
        except Exception:  # whatever a parser does with a text that it was not written for
            raise InvalidReply(f"{self._parser} finds no single preference") from None
        if number == 0:
            number = 1.5
        if not 1 <= number <= 2:  # NaN, too
            raise InvalidReply(f"{self._parser} finds no preference")
        return {"preference": number, "read": TEXT}
