from types import SimpleNamespace

import pytest
from word_game import END, WordBackend, WordOracle, WordTokenizer, checkpoint

from mnpo.conversation import Message
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.data.prompts import Prompt
from mnpo.training.recipe import SamplingSettings
from mnpo.training.stages import StageStore
from mnpo.training.tokens import TokenContract


@pytest.fixture
def make_bench(tmp_path):
    """A bench over a store that lasts for the test: prompts, policies, judge."""

    def make(policies, start, *, prompts=6, oracle=None, annotators=(), cut=()):
        held_out = tuple(
            PreparedPrompt(Prompt((Message("user", "play" + "!" * i),)), (5, 6 + i))
            for i in range(prompts)
        )
        return SimpleNamespace(
            recipe=SimpleNamespace(sampling=SamplingSettings()),
            start=checkpoint(start),
            held_out=held_out,
            oracle=oracle or WordOracle(),
            annotators=annotators,
            backend=WordBackend({f"sha-{k}": v for k, v in policies.items()}, set(cut)),
            stages=StageStore(tmp_path / "stages"),
            contract=TokenContract("t", "c", (END,), 0),
            tokenizer=WordTokenizer(),
        )

    return make
