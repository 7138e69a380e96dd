from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mnpo.conversation import Message
from mnpo.judging.calls import Comparison
from mnpo.judging.keys import Keys

WORDS = st.text(max_size=5)
PARAMETERS = st.dictionaries(st.sampled_from(["temperature", "seed"]), st.integers(0, 2))
#: Everything that an answer depends on, and what it does not.
KEYED = {
    "messages": st.lists(
        st.builds(Message, st.sampled_from(["user", "system"]), WORDS), min_size=1, max_size=3
    ).map(tuple),
    "contract": st.sampled_from(["x@1", "x@2", "y@1"]),
    "template": WORDS,
    "parameters": PARAMETERS,
    "order": st.sampled_from(["", "AB", "BA"]),
    "repeat": st.integers(0, 3),
}
FREE = {
    "item": WORDS,
    "comparison": st.none() | st.just(Comparison((Message("user", "q"),), "a", "b")),
}


class Described:
    """A judge that sends what the call says, and is described by a word."""

    name = "any"

    def __init__(self, word: str) -> None:
        self.word = word

    def describe(self):
        return {"model": self.word}

    def parameters(self, call):
        return call.parameters


@given(data=st.data(), word=WORDS, name=st.sampled_from([*KEYED, *FREE]))
def test_the_key_changes_with_all_that_matters_and_nothing_else(
    make_call, verdict, data, word, name
) -> None:
    def changed(call, field):
        value = data.draw({**KEYED, **FREE}[field], field)
        if field == "contract":
            made, made.name = verdict(), value
            value, same = made, value == call.contract.name
        else:
            same = value == getattr(call, field)
        return replace(call, **{field: value}), same

    call = make_call(1)
    for field in KEYED:
        call, _ = changed(call, field)
    other, same = changed(call, name)
    keys = Keys(Described(word))
    assert (keys.key(call) == keys.key(other)) == (same or name in FREE)
    assert Keys(Described(word + "x")).key(call) != keys.key(call)
    assert Keys(Described(word)).key(call) == keys.key(call)


def test_turns_cannot_run_into_one_another(make_call) -> None:
    keys = Keys(Described("m"))
    one = replace(make_call(1), messages=(Message("user", "ab"), Message("user", "c")))
    other = replace(one, messages=(Message("user", "a"), Message("user", "bc")))
    assert keys.key(one) != keys.key(other)


def test_the_key_is_the_same_in_every_release(make_call) -> None:
    """Stored answers are found again: change this only together with a note to users."""
    expected = "dc4a5dce5d8c1f46e7c03c054eb6fdaf842e9f26700bd50b54a0df897a4c8e51"
    assert Keys(Described("m")).key(make_call(1)) == expected
