"""How far judges agree: with each other, with themselves, and whatever the place and the length."""

from evaluation.agreement.alpha import Alpha, Level, krippendorff_alpha
from evaluation.agreement.one_judge import OneJudge
from evaluation.agreement.tables import COLUMNS, Agreement, agreement
from evaluation.agreement.verdicts import FEWEST_CLUSTERS, Verdict

__all__ = [
    "COLUMNS",
    "FEWEST_CLUSTERS",
    "Agreement",
    "Alpha",
    "Level",
    "OneJudge",
    "Verdict",
    "agreement",
    "krippendorff_alpha",
]
