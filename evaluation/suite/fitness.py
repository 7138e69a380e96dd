"""Whether a judge can answer what a benchmark asks: found out before models are asked."""

from collections.abc import Iterable

from evaluation.judges.settings import JudgeSpec, LocalModelSettings, OracleJudgeSettings
from mnpo.errors import InvalidSetting
from mnpo.judging.calls import Call, InvalidReply, Reply


def require_fit(spec: JudgeSpec, judge: str, benchmark: str, calls: Iterable[Call]) -> None:
    """Refuse a judge that could not give one valid verdict.

    Args:
        spec: the judge's settings.
        judge: its name.
        benchmark: its name.
        calls: what it would be asked, about any answers.

    Raises:
        InvalidSetting: an oracle that is to grade, or a model that is to choose among verdicts
            where the benchmark declares none; with the reason.
    """
    for call in calls:
        if reason := _unfit(spec, call):
            raise InvalidSetting(f"{benchmark}: judge '{judge}' cannot answer it: {reason}")


def _unfit(spec: JudgeSpec, call: Call) -> str:
    if isinstance(spec, OracleJudgeSettings):
        if call.comparison is None:
            return "an oracle compares two answers to one question, and has no words"
        try:
            call.contract.read(Reply("", preference=0.5))
        except InvalidReply as error:
            return str(error)
    chooses = isinstance(spec, LocalModelSettings) and spec.reads == "choices"
    if chooses and not call.contract.choices:
        return "there is no list of verdicts to choose from; give it reads: text"
    return ""
