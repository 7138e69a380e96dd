"""A question to a judge, the reply, and the declared form in which the reply must come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from mnpo.conversation import Message

#: What a contract reads out of a reply: JSON-ready, e.g. "A>B", 7, or 1.93.
Value: TypeAlias = Any


class InvalidReply(ValueError):
    """A reply that breaks its contract: why. It has no value, and nothing stands in for one."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one request, as the server counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Reply:
    """What a judge answered.

    Attributes:
        text: what it wrote.
        unusable: why it cannot be read as an answer (cut, refused, empty), or None.
        first_token: (token, log-probability in nats) of the likeliest first tokens; None where
            the judge reports none.
        choices: log-probability in nats of each of the contract's choices, from a judge that
            scores them instead of writing; None from one that writes.
        preference: P(first answer beats second), from a judge that has no words at all (an
            oracle of the trainer); None from any other.
        usage: tokens; None where nobody counted.
    """

    text: str
    unusable: str | None = None
    first_token: tuple[tuple[str, float], ...] | None = None
    choices: Mapping[str, float] | None = None
    preference: float | None = None
    usage: Usage | None = None


class Contract(Protocol):
    """The form of an answer, which the question states and the reply must keep."""

    #: Name and version, e.g. "arena-hard/verdict@1"; another reading needs another version.
    name: str
    #: What a judge that scores instead of writing chooses between; empty where it cannot.
    choices: tuple[str, ...]
    #: What the reply of such a judge is taken to begin with, e.g. "My final verdict is: ".
    lead: str

    def read(self, reply: Reply) -> Value:
        """The value of a usable reply; JSON-ready, never None.

        Raises:
            InvalidReply: it breaks the contract.
        """
        ...


@dataclass(frozen=True)
class Comparison:
    """Two answers to one conversation, for judges that read no template (oracles).

    Attributes:
        prompt: the conversation, ending with the user's turn.
        first, second: the answers in the order in which they are shown.
    """

    prompt: tuple[Message, ...]
    first: str
    second: str


@dataclass(frozen=True)
class Call:
    """One question to a judge.

    Its stored answer is keyed by the judge, ``messages``, ``parameters``, ``contract``,
    ``template``, ``order`` and ``repeat``; ``item``, ``question`` and ``comparison`` are for
    people, for who asks, and for judges without words.

    Attributes:
        item: what it is about, for logs and messages, e.g. "q81/turn-2/model-x".
        messages: the rendered question.
        contract: the form of the answer.
        template: name and hash of the template that made the messages.
        parameters: of the request as the benchmark prescribes them: temperature, max_tokens,
            logprobs, top_logprobs. A judge's own settings go before them.
        order: which answer stands first, e.g. "AB" or "BA"; "" where only one is judged.
        repeat: which of several times the same question is asked.
        comparison: what is compared; None where one answer is graded.
        question: id of the benchmark's question that it is about, "" where there is none.
    """

    item: str
    messages: tuple[Message, ...]
    contract: Contract
    template: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order: str = ""
    repeat: int = 0
    comparison: Comparison | None = None
    question: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        value: the contract's; None where there is none.
        missing: why there is none, "" otherwise. Missing is missing: never 0, never a tie.
        reply: the text that the value was read from.
    """

    value: Value | None
    missing: str = ""
    reply: str = ""
    usage: Usage | None = None


class Judge(Protocol):
    """Who answers: an endpoint, a local model, an oracle."""

    #: How tables and files call it.
    name: str

    def describe(self) -> dict[str, Any]:
        """All that its answers depend on, JSON-ready; no secret, no limits of patience."""
        ...

    def parameters(self, call: Call) -> Mapping[str, Any]:
        """What is really sent: the call's parameters under the judge's own settings."""
        ...

    async def __aenter__(self) -> "Judge":
        """Open connections or load weights, inside one event loop."""
        ...

    async def __aexit__(self, *error: object) -> None:
        """Close them."""
        ...

    async def answer(self, call: Call, attempt: int) -> Reply:
        """The reply to one call.

        Args:
            call: what is asked.
            attempt: 0, or how many replies to this call broke the contract before: a seeded judge
                takes another seed.

        Raises:
            JudgeFailure: no reply can be had for this call now.
            JudgeDown: nor for any other call.
        """
        ...


class JudgeFailure(Exception):
    """This call got no reply: retries are used up, or the request was refused."""


class JudgeDown(JudgeFailure):
    """The judge as a whole does not answer (no connection, wrong key): asking on is pointless."""
