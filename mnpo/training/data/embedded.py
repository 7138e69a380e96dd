"""The project's own prompts: small talk about everyday things, 160 to train on and 40 held out.

The answers are kind, unkind or plain, one sentence or two, in easy words or in long ones, so that
oracles of sentiment, brevity and readability have something to prefer, and simple enough that a
model of half a million weights learns their form in seconds. Everything is counted out from the
word lists below; nothing is drawn at random.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mnpo.conversation import Message
from mnpo.training.data.prompts import Prompt

Tone = Literal["kind", "plain", "unkind"]


@dataclass(frozen=True)
class Topic:
    """Things that are talked about in the same words.

    Attributes:
        things: subjects of a sentence, in the singular.
        kind, plain, unkind: what they may be called, in easy words.
        long_kind, long_unkind: the same in long words.
    """

    things: tuple[str, ...]
    kind: tuple[str, ...]
    plain: tuple[str, ...]
    unkind: tuple[str, ...]
    long_kind: tuple[str, ...]
    long_unkind: tuple[str, ...]


TOPICS = (
    Topic(
        tuple(
            "the soup,the bread,the cake,the rice,the apple,the salad,the tea,the fish,the pie,"
            "the cheese,the milk,the stew,the pizza".split(",")
        ),
        tuple("fresh sweet tasty lovely warm".split()),
        tuple("on the table,in the kitchen,from the shop,made at noon".split(",")),
        tuple("sour stale awful cold horrible".split()),
        ("delicious", "exceptionally satisfying"),
        ("disgusting", "extraordinarily unappetizing"),
    ),
    Topic(
        tuple(
            "the cat,the dog,the horse,the cow,the bird,the duck,the goat,the mouse,the rabbit,"
            "the frog,the sheep,the pony".split(",")
        ),
        tuple("friendly funny gentle smart cute".split()),
        tuple("in the garden,near the house,by the river,under the tree".split(",")),
        tuple("nasty mean dirty stupid loud".split()),
        ("affectionate", "remarkably intelligent"),
        ("aggressive", "incredibly disobedient"),
    ),
    Topic(
        tuple(
            "the rain,the snow,the wind,the sun,the storm,the fog,the summer,the winter,the spring,"
            "the morning,the night,the sky".split(",")
        ),
        tuple("bright pretty calm mild beautiful".split()),
        tuple("here today,over the town,late this year,the same as before".split(",")),
        tuple("ugly gloomy terrible dark nasty".split()),
        ("magnificent", "absolutely extraordinary"),
        ("depressing", "unbelievably miserable"),
    ),
    Topic(
        tuple(
            "the school,the park,the shop,the train,the market,the street,the farm,the beach,"
            "the house,the office,the library,the bus,the hotel".split(",")
        ),
        tuple("nice clean quiet happy safe".split()),
        tuple("next to the church,across the road,open until six,full of people".split(",")),
        tuple("boring dull filthy bad noisy".split()),
        ("welcoming", "particularly comfortable"),
        ("disappointing", "exceedingly uncomfortable"),
    ),
)

QUESTIONS = (
    "How is {}?",
    "Tell me about {}.",
    "What do you think of {}?",
    "Say something about {}.",
)

#: How each tone opens, what it adds, and how it opens in long words; {} is the thing, {a} and {b}
#: what it is called.
OPENINGS: dict[Tone, tuple[str, ...]] = {
    "kind": (
        "{} is {a}.",
        "{} is very {a}.",
        "I love {}, it is {a}.",
        "{} is {a} and {b}.",
        "I like {} because it is {a}.",
    ),
    "plain": ("{} is {a}.", "I saw {} today, it is {a}.", "I think {} is {a}."),
    "unkind": (
        "{} is {a}.",
        "{} is so {a}.",
        "I hate {}, it is {a}.",
        "{} is {a} and {b}.",
        "Do not ask me about {}, it is {a}.",
    ),
}
ADDITIONS: dict[Tone, tuple[str, ...]] = {
    "kind": (
        "It makes me happy.",
        "You will enjoy it a lot.",
        "Thank you for asking, my friend.",
        "It is the best one I know.",
    ),
    "plain": (
        "That is all I know.",
        "It was there last week.",
        "Some people like it and some do not.",
    ),
    "unkind": (
        "It makes me sad.",
        "Only a fool would like it.",
        "Stop wasting my time.",
        "It is the worst one I know.",
    ),
}
#: Of ten answers, how many in each tone.
TONES: tuple[Tone, ...] = (
    *("kind", "unkind", "kind", "plain", "unkind"),
    *("kind", "unkind", "plain", "kind", "unkind"),
)


def embedded_prompts(part: Literal["train", "held-out"]) -> tuple[Prompt, ...]:
    """The prompts of one part.

    Each comes with a kind demonstration, and with that and an unkind answer as its completions. A
    held-out question is about a thing that the training prompts ask other questions about.
    """
    prompts = []
    for number, (topic, thing, question) in enumerate(_questions()):
        if (number % 5 == 2) is not (part == "held-out"):
            continue
        text = question.format(thing)
        kind = answer(topic, thing, "kind", _spread(f"kind {text}"))
        unkind = answer(topic, thing, "unkind", _spread(f"unkind {text}"))
        prompts.append(Prompt((Message("user", text),), (kind,), (kind, unkind)))
    return tuple(prompts)


def embedded_answers(each: int) -> Iterator[tuple[Prompt, str]]:
    """The training prompts, each with that many answers of all tones and lengths.

    What the embedded model is taught before any preferences: the form of an answer, not which one
    is better.
    """
    for number, (topic, thing, question) in enumerate(_questions()):
        if number % 5 == 2:
            continue
        prompt = Prompt((Message("user", question.format(thing)),))
        for turn in range(each):
            choice = _spread(f"{prompt.text} {turn}")
            yield prompt, answer(topic, thing, TONES[choice % 10], choice // 10)


def answer(topic: Topic, thing: str, tone: Tone, choice: int) -> str:
    """One answer about a thing; ``choice`` counts through the possibilities."""
    easy, long = {
        "kind": (topic.kind, topic.long_kind),
        "plain": (topic.plain, ()),
        "unkind": (topic.unkind, topic.long_unkind),
    }[tone]
    choice, opening = divmod(choice, len(OPENINGS[tone]))
    choice, word = divmod(choice, len(easy))
    choice, other = divmod(choice, len(easy) - 1)
    choice, in_long_words = divmod(choice, 4)
    choice, addition = divmod(choice, 2)
    first = easy[word]
    if long and in_long_words == 3:
        first = long[choice % len(long)]
    second = easy[(word + 1 + other) % len(easy)]
    text = OPENINGS[tone][opening].format(thing, a=first, b=second)
    text = text[0].upper() + text[1:]
    if addition:
        more: Sequence[str] = ADDITIONS[tone]
        text += " " + more[choice // 2 % len(more)]
    return text


def _questions() -> Iterator[tuple[Topic, str, str]]:
    for topic in TOPICS:
        for thing in topic.things:
            for question in QUESTIONS:
                yield topic, thing, question


def _spread(text: str) -> int:
    """A large number that depends on the text and on nothing else."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
