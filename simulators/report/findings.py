"""The answer in a few sentences: who finds the equilibrium, how fast, and who cycles."""

import math
from collections.abc import Sequence

from simulators.report.content import ReportContent
from simulators.report.formats import listed, number
from simulators.report.groups import Group, group_rows
from simulators.report.verdicts import rank


def findings(content: ReportContent) -> list[tuple[str, str]]:
    """``(verdict, who)``, best verdict first; with the verdict "" a remark about speed.

    An algorithm that ran more than once is named with how many of its runs got the verdict.
    """
    groups = group_rows(content.rows, content.swept)
    runs: dict[str, dict[str, int]] = {}
    for group in groups:
        counts = runs.setdefault(group.algorithm, {})
        for verdict, seeds in group.verdicts:
            counts[verdict] = counts.get(verdict, 0) + seeds
    said = []
    for verdict in sorted({v for counts in runs.values() for v in counts}, key=rank):
        names = []
        for algorithm, counts in runs.items():
            total = sum(counts.values())
            if verdict in counts:
                share = "" if total == 1 else f" ({counts[verdict]:,} of {total:,} runs)"
                names.append(algorithm + share)
        said.append((verdict, listed(names, 12)))
    fastest = _fastest(groups)
    return [*said, ("", fastest)] if fastest else said


def _fastest(groups: Sequence[Group]) -> str:
    """Compared per oracle round, since some methods consult the oracle twice an iteration."""
    rated = []
    for group in groups:
        multiplier = group.statistic("fitted_multiplier").mean
        rounds = group.statistic("oracle_rounds").mean
        iterations = group.statistic("iterations").mean
        if 0 < multiplier < 1 and rounds > 0 and iterations > 0:
            rated.append((multiplier ** (iterations / rounds), multiplier, group))
    if len(rated) < 2:
        return ""
    per_round, multiplier, group = min(rated, key=lambda entry: entry[0])
    text = (
        f"Fastest towards the regularised equilibrium: {_name(group, groups)}, whose distance to "
        f"it shrinks by a factor {number(per_round)} an oracle round"
    )
    if not math.isclose(per_round, multiplier, rel_tol=1e-3):
        text += f" ({number(multiplier)} an iteration)"
    return text + "."


def _name(group: Group, groups: Sequence[Group]) -> str:
    from simulators.report.formats import setting
    from simulators.report.groups import varying

    told = [key for key in varying(groups, list(group.setting)) if key != "algorithm"]
    parts = [f"{key} {setting(group.setting[key])}" for key in told]
    return f"{group.algorithm} ({', '.join(parts)})" if parts else group.algorithm
