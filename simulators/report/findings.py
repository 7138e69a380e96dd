"""The answer in a few sentences: who finds the equilibrium, how fast, and who cycles."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mnpo.algorithms.registry import get_algorithm
from mnpo.errors import InvalidSetting
from simulators.report.content import ReportContent
from simulators.report.formats import listed, number, setting
from simulators.report.groups import Group, group_rows, problem, varying
from simulators.report.verdicts import rank


def findings(content: ReportContent) -> list[tuple[str, str]]:
    """``(verdict, who)``, best verdict first; with the verdict "" a remark about speed.

    An algorithm that ran more than once is named with how many of its runs got the verdict.
    """
    groups = group_rows(content.rows, content.swept)
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for row in content.rows:
        runs.setdefault(str(row["algorithm"]), []).append(row)
    said = []
    for verdict in sorted({str(row["verdict"]) for row in content.rows}, key=rank):
        by_game: dict[str, list[str]] = {}
        for algorithm, rows in runs.items():
            got = [row for row in rows if row["verdict"] == verdict]
            if got:
                share = "" if len(rows) == 1 else f" ({len(got):,} of {len(rows):,} runs)"
                game = "regularised" if plays_regularized(got[0]) else "unregularised"
                by_game.setdefault(game, []).append(algorithm + share)
        parts = [f"{listed(names, 12)} in the {game} game" for game, names in by_game.items()]
        said.append((verdict, "; ".join(parts)))
    fastest = _fastest(groups)
    return [*said, ("", fastest)] if fastest else said


def plays_regularized(row: Mapping[str, Any]) -> bool:
    """Whether the verdict of a run is about the regularised game, as its method plays that one."""
    kl = row.get("kl_to_regularized_equilibrium")
    if kl is None or math.isnan(kl):
        return False
    try:
        return get_algorithm(str(row["algorithm"])).target == "regularized"
    except InvalidSetting:  # a row of another version's algorithm
        return False


def _fastest(groups: Sequence[Group]) -> str:
    """Compared per oracle round, since some methods consult the oracle twice an iteration.

    Rates in different games, or at different temperatures, do not compare: then nothing is said.
    """
    rated = []
    for group in groups:
        multiplier = group.statistic("fitted_multiplier").mean
        rounds = group.statistic("oracle_rounds").mean
        iterations = group.statistic("iterations").mean
        if 0 < multiplier < 1 and rounds > 0 and iterations > 0:
            rated.append((multiplier ** (iterations / rounds), multiplier, group))
    if len(rated) < 2 or len({problem(group) for _, _, group in rated}) > 1:
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
    told = [key for key in varying(groups, list(group.setting)) if key != "algorithm"]
    parts = [f"{key} {setting(group.setting[key])}" for key in told]
    return f"{group.algorithm} ({', '.join(parts)})" if parts else group.algorithm
