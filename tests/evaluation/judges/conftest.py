"""A small real model with random weights, and contracts to ask it with."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mnpo.conversation import Message
from mnpo.judging.calls import Call, Comparison, InvalidReply, Reply


@dataclass(frozen=True)
class Verdict:
    """A contract of the tests: one of its choices, read off the log-probs or the text."""

    name: str = "test/verdict@1"
    choices: tuple[str, ...] = ("[[A]]", "[[B]]", "[[tie]]")
    lead: str = "My verdict: "

    def read(self, reply: Reply):
        if reply.choices is not None:
            return max(reply.choices, key=lambda choice: reply.choices[choice])
        for choice in self.choices:
            if choice in reply.text:
                return choice
        raise InvalidReply("no verdict")


@dataclass(frozen=True)
class Free:
    """A contract that only text can keep."""

    name: str = "test/free@1"
    choices: tuple[str, ...] = ()
    lead: str = ""

    def read(self, reply: Reply):
        return reply.text


def make_call(
    text="Which is better, soup or rain?", contract=None, *, system="", **changes
) -> Call:
    turns = [Message("system", system)] if system else []
    return Call(
        **{
            "item": "q1",
            "messages": (*turns, Message("user", text)),
            "contract": contract or Verdict(),
            "template": "t@1",
            **changes,
        }
    )


def make_comparison(first, second, **changes) -> Call:
    turns = (Message("user", "Say a word."),)
    return make_call(comparison=Comparison(turns, first, second), **changes)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A Llama with the embedded tokenizer and weights large enough for opinions."""
    import torch
    from transformers import LlamaForCausalLM

    from mnpo.training.models.tiny import make_config, make_tokenizer

    tokenizer = make_tokenizer()
    config = make_config(tokenizer)
    config.hidden_size, config.intermediate_size = 32, 64
    config.initializer_range = 0.15
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("judges") / "random-judge"
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def calls():
    """Makers of calls: ``calls.one(...)``, ``calls.pair(first, second)``, and the contracts."""
    from types import SimpleNamespace

    return SimpleNamespace(one=make_call, pair=make_comparison, Verdict=Verdict, Free=Free)
