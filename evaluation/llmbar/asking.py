"""Measuring a judge: LLMBar's pairs put to it with this project's own comparison template."""

from collections.abc import Iterator, Mapping

from evaluation.benchmark import Verdicts
from evaluation.llmbar.reading import Judged, Key, Pair, shown
from evaluation.points import PointsContract
from evaluation.pool.asking import TEMPLATE, Meeting, calls_of
from evaluation.records import Answer, Question
from mnpo.judging.calls import Call


def judge_calls(
    pairs: Mapping[Key, Pair], *, template: str | None = None
) -> Iterator[tuple[Pair, Call, Call]]:
    """What a judge is asked about each pair: the first output shown first, and second.

    Args:
        pairs: the data.
        template: Jinja text as cross-play's judge gets it; None takes the project's own.
    """
    text = TEMPLATE.read_text("utf-8") if template is None else template
    contract = PointsContract()
    for pair in pairs.values():
        one, two = pair.outputs
        meeting = Meeting(
            Question(shown(pair.key), (pair.instruction,)),
            "output-1",
            "output-2",
            0,
            (Answer((one,)), Answer((two,))),
        )
        for given, swapped in calls_of(meeting, template=text, contract=contract, repeats=1):
            yield pair, given, swapped


def judged_pairs(
    pairs: Mapping[Key, Pair], verdicts: Verdicts, *, template: str | None = None
) -> list[Judged]:
    """The judge's verdicts on all pairs, for `evaluation.llmbar.scoring.score_judges`.

    A tie is no verdict here: one of the two outputs is better.

    Args:
        pairs: the data.
        verdicts: outcome of every call that `judge_calls` makes.
        template: as given to `judge_calls`.
    """
    found = []
    for pair, given, swapped in judge_calls(pairs, template=template):
        one, other = verdicts(given).value, verdicts(swapped).value
        winners = (_winner(one), _winner(None if other is None else 1 - other))
        found.append(Judged(pair.key, pair.label, winners, shown(pair.key)))
    return found


def _winner(preference: float | None) -> str | None:
    if preference is None or preference == 0.5:
        return None
    return "1" if preference > 0.5 else "2"
