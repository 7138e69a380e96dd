"""The run directory: what it holds, resuming, damage, bad input, and the files back again."""

import json
import shutil
from pathlib import Path

import pytest

from evaluation.statistics import Interval
from leaderboards.board import Board, Table
from leaderboards.claims import CLAIMS, Claim, Effort, Finding, Verdict, find_claims, registry
from leaderboards.claims.decide import exact
from leaderboards.claims.run import verify
from leaderboards.claims.stored import finding_from_json, finding_to_json, load_findings
from leaderboards.claims.table import claims_board, claims_markdown, claims_table
from mnpo.errors import DamagedRun, InvalidSetting, UserError
from mnpo.runs import sha256_file

NAMES = ["eq9-is-eq4", "fixed-point-of-history"]
QUICK = Effort(seeds=4, quick=True)


def test_what_a_run_holds(quick_run: Path, quick_findings: dict[str, Finding]) -> None:
    manifest = json.loads((quick_run / "manifest.json").read_text())
    assert manifest["status"] == "done"
    for name in ("claims.json", "claims.md"):
        assert manifest["outputs"][name] == sha256_file(quick_run / name)
    assert (quick_run / "run.yaml").read_text().startswith("claims:")
    found = load_findings(quick_run)
    assert {claim.name: finding for claim, finding in found} == quick_findings
    assert [claim.describe() for claim, _ in found] == [claim.describe() for claim in CLAIMS]


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tested: list[str] = []
    first, second = find_claims(NAMES)

    def dies(effort: Effort) -> Finding:
        raise KeyboardInterrupt

    def counting(claim: Claim) -> Claim:
        def find(effort: Effort) -> Finding:
            tested.append(claim.name)
            return claim.find(effort)

        return Claim(claim.name, claim.statement, claim.source, claim.test, find, claim.commands)

    broken = Claim(second.name, second.statement, second.source, second.test, dies, second.commands)
    monkeypatch.setattr(registry, "CLAIMS", (counting(first), broken))
    with pytest.raises(KeyboardInterrupt):
        verify(NAMES, QUICK, tmp_path / "x")
    assert not (tmp_path / "x" / "claims.json").exists()
    monkeypatch.setattr(registry, "CLAIMS", (counting(first), counting(second)))
    told: list[tuple[str, bool]] = []
    verify(NAMES, QUICK, tmp_path / "x", listen=lambda c, _, before: told.append((c.name, before)))
    assert sorted(tested) == sorted(NAMES)
    assert told == [(first.name, True), (second.name, False)]


def test_a_damaged_part_is_found_again(tmp_path: Path) -> None:
    before = verify(NAMES, QUICK, tmp_path / "x")
    (part, *_) = sorted((tmp_path / "x" / "parts").glob("*.json"))
    part.write_text("{}")
    told = []
    again = verify(NAMES, QUICK, tmp_path / "x", listen=lambda c, f, kept: told.append(kept))
    assert sorted(told) == [False, True]
    assert [finding for _, finding in again] == [finding for _, finding in before]


def test_another_effort_is_refused(tmp_path: Path) -> None:
    verify(NAMES[:1], QUICK, tmp_path / "x")
    with pytest.raises(UserError, match="--overwrite"):
        verify(NAMES[:1], Effort(seeds=5, quick=True), tmp_path / "x")
    (_,) = verify(NAMES[:1], Effort(seeds=5, quick=True), tmp_path / "x", overwrite=True)


@pytest.mark.slow
def test_two_processes_find_the_same(tmp_path: Path, quick_findings: dict[str, Finding]) -> None:
    found = verify(NAMES, QUICK, tmp_path / "x", jobs=2)
    assert {c.name: f for c, f in found} == {name: quick_findings[name] for name in NAMES}


@pytest.mark.parametrize(
    ("names", "effort", "jobs", "message"),
    [
        (["proposition-2"], QUICK, 1, "did you mean 'proposition-1'"),
        (["eq9-is-eq4", "eq9-is-eq4"], QUICK, 1, "given twice"),
        ([], Effort(seeds=1), 1, "--seeds must be a whole number of at least 2"),
        ([], Effort(seeds=10**6), 1, "--seeds must be at most 10000"),
        ([], Effort(seed=-1), 1, "--seed must be"),
        ([], QUICK, 0, "--jobs must be at least 1"),
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path, names: list[str], effort: Effort, jobs: int, message: str
) -> None:
    with pytest.raises(InvalidSetting, match=message):
        verify(names, effort, tmp_path / "x", jobs=jobs)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "has the format None"),
        ('{"format": 99}', "has the format 99, this version reads 1"),
        ('{"format": 1}', "holds a claim that cannot be read"),
        ('{"format": 1, "claims": [{"name": 3}]}', "holds a claim that cannot be read"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "claims.json").write_text(content)
    with pytest.raises(DamagedRun, match=message):
        load_findings(tmp_path)


def test_a_changed_verdict_that_is_none_is_told(tmp_path: Path, quick_run: Path) -> None:
    shutil.copy(quick_run / "claims.json", tmp_path)
    whole = json.loads((tmp_path / "claims.json").read_text())
    whole["claims"][0]["finding"]["verdict"] = "perhaps"
    (tmp_path / "claims.json").write_text(json.dumps(whole))
    with pytest.raises(DamagedRun, match="perhaps"):
        load_findings(tmp_path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DamagedRun, match="run 'mnpo-bench verify' again"):
        load_findings(tmp_path)


def test_numbers_that_are_none_survive() -> None:
    finding = Finding(
        Verdict.FAILS,
        "c",
        "q",
        exact(float("nan")),
        {"a": float("inf"), "b": "text", "c": None, "d": Interval(1.0, 0.5, None, 3, 2)},
    )
    again = finding_from_json(json.loads(json.dumps(finding_to_json(finding))))
    assert again.number.value != again.number.value
    assert again.details == {
        "a": None,
        "b": "text",
        "c": None,
        "d": Interval(1.0, 0.5, None, 3, 2),
    }


def test_the_table_has_a_row_a_claim(quick_run: Path) -> None:
    found = load_findings(quick_run)
    table = claims_table(found)
    assert isinstance(table, Table)
    assert len(table.rows) == len(CLAIMS)
    assert all(len(row) == len(table.header) for row in table.rows)
    board = claims_board(found, command="mnpo-bench verify")
    assert isinstance(board, Board)
    assert board.tables == (table,)


def test_markdown_has_a_row_and_a_section_a_claim(quick_run: Path) -> None:
    text = (quick_run / "claims.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == len(CLAIMS) + 2
    # Cells are escaped: no bar of a text starts another column.
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
    for claim in CLAIMS:
        assert f"\n## {claim.name}\n" in text
        for command in claim.commands:
            assert f"\nmnpo-bench {command}\n" in text


def test_hostile_texts_stay_texts() -> None:
    (claim,) = find_claims(["eq9-is-eq4"])
    finding = Finding(Verdict.FAILS, "a | <b>`x`</b>\n# h", "q|r", exact(1.0), {"[d](e)": "f|g"})
    text = claims_markdown([(claim, finding)], command="mnpo-bench verify `x`")
    assert "<b>" not in text.replace("\\<", "")
    assert "\n# h" not in text
    assert "[d](e)" not in text
    assert "`mnpo-bench verify 'x'`" in text
