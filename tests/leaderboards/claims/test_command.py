"""`mnpo-bench verify`: what it prints and writes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from leaderboards.claims import CLAIMS, regret
from mnpo.cli import verify
from mnpo.errors import InvalidSetting
from mnpo.runs import sha256_file


@pytest.fixture
def app() -> typer.Typer:
    own = typer.Typer()
    own.command("verify", help=verify.HELP, epilog=verify.EPILOG)(verify.verify)
    return own


def test_list_names_every_claim(app: typer.Typer) -> None:
    printed = CliRunner().invoke(app, ["--list"], catch_exceptions=False)
    assert printed.exit_code == 0
    for claim in CLAIMS:
        assert f"\n{claim.name}\n" in "\n" + printed.stdout
    listed = CliRunner().invoke(app, ["eq9-is-eq4", "--list", "--json"], catch_exceptions=False)
    assert [claim["name"] for claim in json.loads(listed.stdout)] == ["eq9-is-eq4"]


def test_a_claim_is_told_and_written(app: typer.Typer, tmp_path: Path) -> None:
    arguments = ["eq9-is-eq4", "--quick", "--output", str(tmp_path / "x")]
    printed = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert printed.exit_code == 0
    assert "eq9-is-eq4: fails; Eq. 9 is half of it" in " ".join(printed.stdout.split())
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    assert manifest["status"] == "done"
    for name in ("claims.json", "claims.md", "claims.html"):
        assert manifest["outputs"][name] == sha256_file(tmp_path / "x" / name)
    assert "eq9-is-eq4" in (tmp_path / "x" / "claims.html").read_text()
    again = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "(found before)" in " ".join(again.stdout.split())


def test_json_and_nothing_else(app: typer.Typer, tmp_path: Path) -> None:
    arguments = ["eq9-is-eq4", "--quick", "--json", "--output", str(tmp_path / "x")]
    printed = CliRunner().invoke(app, arguments, catch_exceptions=False)
    whole = json.loads(printed.stdout)
    assert whole["claims"][0]["finding"]["verdict"] == "fails"
    assert whole["effort"] == {"seeds": 16, "seed": 0, "quick": True}


def test_an_unknown_claim_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'eq9-is-eq4'"):
        CliRunner().invoke(
            app, ["eq9-is-eq5", "--output", str(tmp_path / "x")], catch_exceptions=False
        )
    assert not (tmp_path / "x").exists()


def test_more_repetitions_than_asked_for_are_told(app: typer.Typer, tmp_path: Path) -> None:
    def noted(*given: str) -> str:
        arguments = ["average-regret", *given, "--quick", "--output", str(tmp_path / given[-1])]
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stderr

    least = regret.GAMES_LEAST
    assert noted("opponent-pool", "--seeds", "4") == (
        "note: more repetitions than 4, with which nothing could be told: "
        f"{least} for average-regret\n"
    )
    assert noted("--seeds", str(least)) == ""
