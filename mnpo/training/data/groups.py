"""Groups of responses to one prompt, with the token ids that were fixed when they were made."""

from dataclasses import dataclass
from functools import cached_property

from mnpo.runs.files import digest
from mnpo.training.data.prompts import Prompt
from mnpo.training.tokens import TokenContract


@dataclass(frozen=True)
class Response:
    """One continuation of a prompt.

    Attributes:
        ids: its tokens as generated, the end token included where it ended by itself.
        text: the tokens decoded, special tokens left out: what an oracle reads.
        finished: whether it ended by itself; False when it was cut at the length limit.
        source: index of the component of the sampling mixture it was drawn from.
    """

    ids: tuple[int, ...]
    text: str
    finished: bool
    source: int = 0


@dataclass(frozen=True)
class Group:
    """A prompt and its K responses: what every later step works on.

    Attributes:
        prompt: the conversation.
        prompt_ids: its tokens under the chat template, generation prompt included.
        responses: K continuations, in the order in which they were drawn.
    """

    prompt: Prompt
    prompt_ids: tuple[int, ...]
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class GroupDataset:
    """Groups under one token contract; immutable, known by its hash.

    Attributes:
        contract: tokenizer and chat template that made the ids.
        groups: in a fixed order, which the log-prob store and the trainer rely on.
    """

    contract: TokenContract
    groups: tuple[Group, ...]

    @cached_property
    def sha256(self) -> str:
        """Hash of the contract and of every token id: the dataset's name in the store."""
        ids = [[g.prompt_ids, [r.ids for r in g.responses]] for g in self.groups]
        return digest({"contract": self.contract.describe(), "ids": ids})
