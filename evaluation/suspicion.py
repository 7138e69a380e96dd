"""Warnings about answers: what readers should know before they believe a judge's verdicts on them.

A flag is no verdict and changes no score: answers go to the judge as they are. Every check takes
time in proportion to the text's length, whatever the text.
"""

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evaluation.records import Answer, ModelAnswers

#: Share of a model's answers that may be alike, and the least number that counts.
ALIKE_SHARE, ALIKE_LEAST = 0.1, 3
#: Where answers are cut into pieces to find those that are nearly the same: most of the text stands
#: in many of them. The text itself says where, so that a word more at the front moves no cut; the
#: letter cuts long English sentences.
_PIECE = re.compile(r"[.!?,;:]+ ?| t")
#: An answer is repetitive if zlib packs it into this share of its length. Ordinary prose stays
#: above a quarter, tables and code above a twelfth.
_PACKED, _PACKED_FROM = 0.06, 1000


class _Sign(NamedTuple):
    """A pattern in lower-case text, tried only where one of some words stands: that is faster."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]

    def stands_in(self, lower: str) -> bool:
        return any(word in lower for word in self.words) and bool(self.pattern.search(lower))


def _sign(words: Sequence[str], pattern: str) -> _Sign:
    return _Sign(tuple(words), re.compile(pattern, re.MULTILINE))


_NOUNS = ("assistant", "response", "answer", "output", "model")
#: What is looked for anywhere in an answer. Gaps are bounded, so that no text takes long.
_ANYWHERE: dict[str, tuple[_Sign, ...]] = {
    "imitates a verdict": (
        _sign(
            ["[["],
            r"\[\[\s{0,3}(?:[abc]|[ab]\s{0,2}[<>=]{1,3}\s{0,2}[ab]|\d{1,2}(?:\.\d{1,2})?)"
            r"\s{0,3}\]\]",
        ),
        _sign(["verdict>"], r"</?verdict>"),
        _sign(
            ["final verdict"],
            r"\bmy final verdict is\b"
            r"|\bfinal verdict\b.{0,20}\b(?:assistant|answer|response|model)\s?[ab]\b",
        ),
    ),
    "imitates a judge's prompt": (
        _sign(
            ["start of ", "end of "],
            r"\b(?:start|end) of (?:the )?(?:assistant|reference|model) ?[ab1-3]?(?:'s)? "
            r"(?:answer|response|conversation)",
        ),
        _sign(
            ["model_identifier", "model identifier"],
            r"\bmodel_identifier\b|\b(?:best|preferred) model identifier\b",
        ),
        _sign(
            ["evaluate the ", "compare the "],
            r"^\W{0,4}(?:evaluate|compare) the (?:following|above|two) (?:model )?"
            r"(?:outputs|responses|answers)\b",
        ),
    ),
    "instructs the judge": (
        _sign(
            ["ignore", "disregard", "forget", "override"],
            r"\b(?:ignore|disregard|forget|override)\s{1,3}(?:\w{1,12}\s{1,3}){0,3}?"
            r"(?:previous|prior|above|earlier|preceding)\s{1,3}"
            r"(?:instruction|prompt|rule|guideline|message|text|response|answer)",
        ),
        _sign(
            ["choose ", "select ", "pick ", "prefer ", "vote for "],
            r"\b(?:choose|select|pick|prefer|vote for) (?:this|my|our)\s(?:\w{1,12}\s)?"
            r"(?:answer|response|output|completion)\b",
        ),
        _sign(
            [
                f"{verb} {whose}"
                for verb in ("rate", "score", "rank", "grade", "judge")
                for whose in ("this", "my", "our")
            ],
            r"\b(?:rate|score|rank|grade|judge) (?:this|my|our)\s(?:\w{1,12}\s)?"
            r"(?:answer|response|output|completion)\s"
            r"(?:as|with|at|the|a|10|first|highest|higher)\b",
        ),
        _sign(
            [f"{whose} {noun} " for whose in ("this", "my") for noun in _NOUNS],
            r"\b(?:this|my) (?:answer|response|output) (?:is|should be|must be|has to be|deserves)"
            r"\s(?:\w{1,12}\s){0,2}?"
            r"(?:best|better|chosen|preferred|ranked|rated|highest|winner|10)\b",
        ),
        _sign(
            [f"{noun} {one} " for noun in _NOUNS for one in "ab"],
            r"\b(?:assistant|response|answer|output|model) [ab] (?:is (?:clearly |much |the )?"
            r"(?:better|best|superior|winner|preferred)|wins|should "
            r"(?:win|be (?:chosen|preferred)))\b",
        ),
        _sign(
            ["evaluator", "judge", "grader", "annotator", "rater"],
            r"\b(?:attention|note to(?: the)?|instructions? (?:to|for)(?: the)?)\s"
            r"(?:evaluator|judge|grader|annotator|rater)s?\b",
        ),
    ),
    "holds control tokens of a chat template": (
        _sign(["<|"], r"<\|[a-z][\w ]{0,40}\|>"),
        _sign(["<｜"], r"<｜[\w▁]{1,40}｜>"),
        _sign(
            ["inst]", "sys>>", "_of_turn>"],
            r"\[/?inst\]|<</?sys>>|</?(?:start_of_turn|end_of_turn)>",
        ),
        _sign(["<s>", "</s>"], r"\A</?s>|</?s>\Z"),
    ),
    "holds control or invisible characters": (
        _sign(
            [""],
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"  # C0, C1 but tab, line ends, NEL
            "|[\u202a-\u202e\u2066-\u2069]"  # overrides of the direction of writing
            "|[\U000e0000-\U000e007f]",  # tags: text that no screen shows
        ),
    ),
}
#: What is ordinary inside a block of code and not outside.
_OUTSIDE_CODE: dict[str, tuple[_Sign, ...]] = {
    "holds active HTML outside code": (
        _sign(
            ["<script", "<iframe", "<embed", "<base", "<object"],
            r"<(?:script|iframe|embed|base|object\s)\b[^<>]{0,300}>",
        ),
        _sign([" on", "\non", "\ton"], r"<\w{1,12}\s[^<>]{0,300}\bon[a-z]{3,16}\s{0,3}="),
        _sign(
            ["javascript:"],
            r"\b(?:href|src|action)\s{0,3}=\s{0,3}[\"']?\s{0,3}javascript:",
        ),
    ),
}
EMPTY, REPETITIVE = "is empty", "repeats itself"
_CODE = re.compile(r"```|~~~")
_INLINE = re.compile(r"`[^`\n]{1,300}`")


def flagged(text: str) -> tuple[str, ...]:
    """What is suspicious about one text of a model, in words that follow "it".

    Of: empty, repetitive, imitates a verdict or a judge's prompt, instructs the judge, control
    tokens of chat templates, control or invisible characters, active HTML outside code.
    """
    if not text.strip():
        return (EMPTY,)
    lower = text.lower()
    found = [
        name for name, signs in _ANYWHERE.items() if any(sign.stands_in(lower) for sign in signs)
    ]
    prose = _INLINE.sub(" ", " ".join(_CODE.split(lower)[::2]))
    found += [
        name
        for name, signs in _OUTSIDE_CODE.items()
        if any(sign.stands_in(prose) for sign in signs)
    ]
    if len(text) >= _PACKED_FROM:
        data = text.encode("utf-8", "surrogatepass")
        if len(zlib.compress(data, 1)) < _PACKED * len(data):
            found.append(REPETITIVE)
    return tuple(found)


def flags_of(answers: ModelAnswers) -> tuple[str, ...]:
    """Warnings about a model's answers, one line each: how many, what, and where for example.

    Besides those of `flagged`: answers that are the same, or nearly the same, to different
    questions, as a model gives that reads no question ("null model").
    """
    found: dict[str, list[str]] = {}
    for question, answer in answers.answers.items():
        for flag in sorted({flag for text in answer.turns for flag in flagged(text)}):
            found.setdefault(flag, []).append(question)
    total = len(answers.answers)
    lines = [
        f"{len(questions)} of {total} answers: {flag} ({_some(questions)})"
        for flag, questions in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return (*_constant(answers.answers), *lines)


def _constant(answers: Mapping[str, Answer]) -> list[str]:
    texts = {q: " ".join(" ".join(answer.turns).lower().split()) for q, answer in answers.items()}
    texts = {question: text for question, text in texts.items() if text}
    least = max(ALIKE_LEAST, ALIKE_SHARE * len(answers))
    lines = []
    counts = Counter(texts.values())
    same = [question for question, text in texts.items() if counts[text] >= ALIKE_LEAST]
    if len(same) >= least:
        lines.append(
            f"{len(same)} of {len(answers)} answers are the same to different questions "
            f"({_some(same)}): a model that ignores the question can still win under a judge"
        )
    pieces = {q: set(_PIECE.split(text)) for q, text in texts.items() if counts[text] == 1}
    spread = Counter(piece for own in pieces.values() for piece in own)
    near = [
        question
        for question, own in pieces.items()
        if 2 * sum(len(piece) for piece in own if spread[piece] >= least) > sum(map(len, own))
    ]
    if len(near) >= least:
        lines.append(
            f"{len(near)} of {len(answers)} answers are nearly the same to different questions "
            f"({_some(near)})"
        )
    return lines


def _some(questions: Sequence[str]) -> str:
    shown = ", ".join(question[:60] for question in questions[:3])
    return shown + (", ..." if len(questions) > 3 else "")
