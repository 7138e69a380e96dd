"""The judge that needs no server, no download and no further package: a rule, and no judge."""

from evaluation.judges.settings import OracleJudgeSettings
from mnpo.training.oracles.settings import RuleSettings

#: Words; the reference answers have 41 on average, and up to 92.
TARGET = 50


def default_judge() -> OracleJudgeSettings:
    """Prefers the answer whose length is nearer to 50 words: it shows that everything runs.

    It knows nothing of quality, and its name says that it is a rule. With the extra
    ``mnpo-bench[oracles]`` the rule ``relevance`` at least reads the question.
    """
    return OracleJudgeSettings(
        oracle=RuleSettings(rule="brevity", target=TARGET), name=f"rule-nearest-{TARGET}-words"
    )
