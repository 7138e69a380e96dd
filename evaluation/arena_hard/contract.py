"""The form in which the judge must answer: one of five verdict labels."""

from evaluation.arena_hard.config import JudgeConfig
from evaluation.arena_hard.verdicts import LABELS, find_label, normalised
from mnpo.judging.calls import InvalidReply, Reply
from mnpo.runs.files import digest


class VerdictContract:
    """A reply holds a verdict that the benchmark's own patterns find.

    The value is one of `LABELS`, of the answers as they were shown: A first, B second.

    A judge that scores choices instead of writing gives the likeliest label. An oracle's
    probability that one answer beats the other is refused: it says how sure a preference is, not
    whether an answer is better slightly or by far, and that is what the benchmark weighs.
    """

    choices = tuple(f"[[{label}]]" for label in LABELS)
    lead = "My final verdict is: "

    def __init__(self, config: JudgeConfig) -> None:
        self._patterns, self._rule = config.patterns, config.rule
        reading = digest([list(config.patterns), config.rule])[:12]
        self.name = f"arena-hard/verdict@1/{reading}"

    def read(self, reply: Reply) -> str:
        """The label.

        Raises:
            InvalidReply: there is none, several that contradict one another, or an unknown one.
        """
        if reply.preference is not None:
            raise InvalidReply(
                "a preference oracle says who is better, not by how much; Arena-Hard needs a judge "
                "that grades"
            )
        if reply.choices is not None:
            likeliest = max(reply.choices.items(), key=lambda own: own[1])[0]
            label = normalised(likeliest.strip("[]"))
            if label is None:
                raise InvalidReply(f"the choice {likeliest!r} is no verdict label")
            return label
        found = find_label(reply.text, self._patterns, self._rule)
        if found is None:
            raise InvalidReply("no verdict label, or several that contradict one another")
        label = normalised(found)
        if label is None:
            raise InvalidReply(f"the verdict {found!r} is none of {', '.join(LABELS)}")
        return label
