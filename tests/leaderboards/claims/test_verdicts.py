"""Every claim's verdict: the regression test of the theory. And verdicts follow their numbers."""

import re
from functools import partial
from pathlib import Path

import pytest

from leaderboards.claims import (
    CLAIMS,
    Effort,
    Finding,
    Verdict,
    annotators,
    find_claims,
    history,
    last_iterate,
    opponents,
    pair_losses,
    players,
    reductions,
    regret,
    table_one_logistic,
    table_one_squared,
)

HOLDS, WHEN, FAILS = Verdict.HOLDS, Verdict.HOLDS_WHEN, Verdict.FAILS
QUICK = Effort(seeds=4, quick=True)

#: (verdict, what its condition must say).
EXPECTED = {
    "two-player-reduction": (WHEN, "equal at the start; not when they differ; different policies"),
    "player-count": (FAILS, "each is multiplicative weights, for every n"),
    "history-of-one-is-inpo": (HOLDS, ""),
    "eq14-is-eq10": (HOLDS, ""),
    "eq15-is-eq10": (FAILS, "the step is 1/eta in place of eta"),
    "proposition-1": (WHEN, "recovers the advantage against pi_t only"),
    "table-1-dpo": (HOLDS, ""),
    "table-1-dno": (WHEN, "labels are soft"),
    "table-1-spin": (WHEN, "the winner is a demonstration"),
    "table-1-simpo": (WHEN, "equally long and there is no target margin; not when"),
    "table-1-cpo": (WHEN, "likelihood term is left out"),
    "table-1-ipo": (HOLDS, ""),
    "table-1-inpo": (FAILS, "temperature tau^2/eta, 0.0225 in place of 0.3"),
    "table-1-sppo": (FAILS, "half of SPPO's step"),
    "table-1-distill-dpo": (FAILS, "to the argmax: there is none"),
    "average-regret": (WHEN, "own past, as with equal players; not when its opponents are others"),
    "last-iterate": (WHEN, "one response beats every other; not when none does"),
    "inpo-last-iterate": (WHEN, "below 2 tau/(omega^2 + tau^2); not when it is above"),
    "decaying-step": (HOLDS, ""),
    "fixed-point-of-history": (HOLDS, ""),
    "weights-below-one": (FAILS, "0.767 in place of 0.1"),
    "history-last-iterate": (WHEN, "exceeds 1, as with three equal lags or more; not when"),
    "eq9-is-eq4": (FAILS, "Eq. 9 is half of it"),
    "more-players-help": (WHEN, "preferences are cyclic and regularisation weak (tau = 0.01) or"),
    "history-resists-noise": (WHEN, "not when the effective step"),
    "n-player-equilibrium": (FAILS, "for every n it ends at the pairwise equilibrium"),
    "single-opponent-bias": (WHEN, "the opponent is fixed and preferences are cyclic; not when"),
    "opponent-pool": (WHEN, "self-play is less exploitable than a pool of any size"),
    "ht-mnpo-equilibrium": (FAILS, "tends to the equilibrium of the average annotator"),
    "ht-mnpo-worst-annotator": (WHEN, "by their shares; not when it weighs them equally"),
    "diverse-annotators": (FAILS, "it adds bias, judged by the gap of the average game (against"),
    "diverse-annotators-matched": (FAILS, "no difference is shown to exceed 0.01, with or without"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(name: str, quick_findings: dict[str, Finding]) -> None:
    finding = quick_findings[name]
    verdict, condition = EXPECTED[name]
    assert finding.verdict is verdict, finding
    assert condition in finding.condition


def test_every_claim_is_expected() -> None:
    assert [claim.name for claim in CLAIMS] == list(EXPECTED)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_findings_tell_what_a_reader_needs(claim, quick_findings: dict[str, Finding]) -> None:
    finding = quick_findings[claim.name]
    assert claim.statement.endswith(".")
    assert claim.test
    assert claim.source
    assert finding.quantity
    assert (finding.condition == "") == (finding.verdict is Verdict.HOLDS)
    if finding.number.low is not None:
        assert finding.number.low <= finding.number.value <= finding.number.high


MUTATIONS = {
    "another step": (partial(reductions.two_player_reduction, other_step_size=0.2), FAILS),
    "players that differ from MWU": (
        partial(reductions.players_reduction, other_step_size=0.2),
        HOLDS,
    ),
    "another temperature": (partial(reductions.history_reduction, other_temperature=0.2), FAILS),
    "Eq. 14 with another step": (partial(pair_losses.eq14, factor=1.01), FAILS),
    "Eq. 15 with the target eta/2": (partial(pair_losses.eq15, target=pair_losses.half_step), WHEN),
    "Proposition 1 with the printed target": (
        partial(pair_losses.proposition1, target=pair_losses.printed),
        FAILS,
    ),
    "IPO with another target": (
        partial(table_one_squared.row_ipo, target=lambda tau: 1 / tau),
        FAILS,
    ),
    "INPO with its own target": (
        partial(table_one_squared.row_inpo, target=lambda eta, tau: 1 / (2 * eta)),
        HOLDS,
    ),
    "a convergent target": (
        partial(table_one_squared.row_distill, targets=(1.0, 2.0, 2.0)),
        HOLDS,
    ),
    "DPO with a finite target": (partial(table_one_logistic.row_dpo, target=3.0), FAILS),
    "DNO with hard labels": (partial(table_one_logistic.row_dno, soft=False), FAILS),
    "SPIN with winners of its own": (partial(table_one_logistic.row_spin, mixed=0.3), FAILS),
    "CPO without its likelihood": (
        partial(table_one_logistic.row_cpo, likelihood_weight=0.0),
        HOLDS,
    ),
    "SimPO without a target margin": (
        partial(table_one_logistic.row_simpo, target_margin=0.0),
        WHEN,
    ),
    "regret of a method that rests elsewhere": (
        partial(regret.average_regret, algorithm="inpo"),
        FAILS,
    ),
    "INPO's bound three times as large": (partial(last_iterate.inpo_stability, scale=3.0), FAILS),
    "a last iterate that is regularised away": (
        partial(last_iterate.unregularized, algorithm="onpo", step_size=0.1),
        WHEN,
    ),
    "weights that do not sum to one": (partial(history.fixed_point, total=0.8), FAILS),
    "weights that do": (partial(history.weights_below_one, total=1.0), HOLDS),
    "a gap that is twice Eq. 9's": (partial(history.gap_of_eq9, factor=2.0), HOLDS),
    "two players for all n": (partial(players.one_versus_many, players=(2,)), HOLDS),
    "INPO in everybody's place": (partial(players.more_players, rounds=1, same_method=True), FAILS),
    "a fixed opponent that is not": (partial(opponents.single_opponent, online=True), FAILS),
    "players with their own anchor": (partial(annotators.equilibrium, self_weight=1.0), HOLDS),
    "HT-MNPO against itself": (
        partial(annotators.worst_annotator, against=annotators.READINGS[0]),
        FAILS,
    ),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_the_verdict_follows_the_input(what: str) -> None:
    find, verdict = MUTATIONS[what]
    assert find(QUICK).verdict is verdict


def test_a_larger_step_of_sppo_is_told_apart() -> None:
    doubled = table_one_squared.row_sppo(QUICK, factor=2.0)
    # Twice the one-response target is the pair's share: the row is SPPO then.
    assert doubled.verdict is HOLDS
    assert doubled.number.value == pytest.approx(1.0)


def test_a_finding_is_the_same_again(quick_findings: dict[str, Finding]) -> None:
    for name in ("proposition-1", "opponent-pool"):
        (claim,) = find_claims([name])
        assert claim.find(QUICK) == quick_findings[name]


def test_a_rule_of_an_interval_reads_its_ends(
    quick_findings: dict[str, Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = quick_findings["average-regret"]
    assert found.number.high is not None
    assert found.number.high < regret.SLOWEST
    monkeypatch.setattr(regret, "SLOWEST", (found.number.value + found.number.high) / 2)
    assert regret.average_regret(QUICK).verdict is FAILS


def test_repetitions_are_told_where_something_is_random(
    quick_findings: dict[str, Finding],
) -> None:
    for name, finding in quick_findings.items():
        if finding.number.low is not None:
            assert finding.repetitions is not None, name
            assert finding.repetitions >= QUICK.seeds
    assert quick_findings["eq15-is-eq10"].repetitions == QUICK.seeds
    assert quick_findings["diverse-annotators"].repetitions == 32
    assert quick_findings["eq9-is-eq4"].repetitions is None


def test_the_documentation_tells_these_verdicts() -> None:
    page = (Path(__file__).parents[3] / "docs" / "claims.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \| \*\*(.*?)\*\*", page, flags=re.MULTILINE)
    assert [(name, verdict) for name, _, verdict in rows] == [
        (name, str(verdict)) for name, (verdict, _) in EXPECTED.items()
    ]
    for claim, (_, statement, _) in zip(CLAIMS, rows, strict=True):
        assert statement.startswith(claim.statement)
