"""Findings as JSON and back: the parts of a run, and claims.json."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.statistics import Interval
from leaderboards.claims.claim import Claim, Detail, Effort, Finding, Verdict
from mnpo.errors import DamagedRun

FORMAT = 1


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """JSON-ready; numbers that are no numbers become null."""
    return {
        "verdict": str(finding.verdict),
        "condition": finding.condition,
        "quantity": finding.quantity,
        **_interval_to_json(finding.number),
        "details": {key: _plain(value) for key, value in finding.details.items()},
    }


def finding_from_json(stored: Mapping[str, Any]) -> Finding:
    """The finding.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    details = stored["details"]
    if not isinstance(details, dict):
        raise TypeError("details are no mapping")
    return Finding(
        verdict=Verdict(stored["verdict"]),
        condition=_text(stored["condition"]),
        quantity=_text(stored["quantity"]),
        number=_interval(stored),
        details={str(key): _detail(value) for key, value in details.items()},
    )


def findings_to_json(found: tuple[tuple[Claim, Finding], ...], effort: Effort, command: str) -> str:
    """The text of claims.json: everything that a table of claims needs."""
    whole = {
        "format": FORMAT,
        "command": command,
        "effort": {"seeds": effort.seeds, "seed": effort.seed, "quick": effort.quick},
        "claims": [
            claim.describe() | {"finding": finding_to_json(finding)} for claim, finding in found
        ],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load_findings(path: Path) -> tuple[tuple[Claim, Finding], ...]:
    """The claims and findings of a claims.json.

    The claims are those of the file, which may be of another version than the code that reads it;
    their tests can be told, not run.

    Args:
        path: the file, or the run directory that holds it.

    Raises:
        DamagedRun: it cannot be read, is of another format, or is no such file.
    """
    file = path / "claims.json" if path.is_dir() else path
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DamagedRun(f"{file}: {error.strerror}; run 'mnpo-bench verify' again") from None
    except (ValueError, RecursionError):
        raise DamagedRun(f"{file} is not JSON; run 'mnpo-bench verify' again") from None
    found = whole.get("format") if isinstance(whole, dict) else None
    if found != FORMAT:
        raise DamagedRun(
            f"{file} has the format {found!r}, this version reads {FORMAT}; run 'mnpo-bench "
            "verify' again"
        )
    try:
        return tuple(
            (
                Claim(
                    name=_text(item["name"]),
                    statement=_text(item["statement"]),
                    source=_text(item["source"]),
                    test=_text(item["test"]),
                    find=_not_here,
                    commands=tuple(_text(command) for command in item["commands"]),
                ),
                finding_from_json(item["finding"]),
            )
            for item in whole["claims"]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamagedRun(
            f"{file} holds a claim that cannot be read ({type(error).__name__}: {error}); run "
            "'mnpo-bench verify' again"
        ) from None


def _not_here(effort: Effort) -> Finding:
    raise NotImplementedError("a claim read from a file is told, not tested")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _detail(value: Any) -> Detail:
    if isinstance(value, dict):
        return _interval(value)
    return value if value is None or isinstance(value, str) else float(value)


def _interval(stored: Mapping[str, Any]) -> Interval:
    low, high = (None if stored[end] is None else float(stored[end]) for end in ("low", "high"))
    value = math.nan if stored["value"] is None else float(stored["value"])
    return Interval(value, low, high, int(stored["n"]), int(stored["clusters"]))


def _interval_to_json(found: Interval) -> dict[str, float | int | None]:
    return {
        "value": _finite(found.value),
        "low": _finite(found.low),
        "high": _finite(found.high),
        "n": found.n,
        "clusters": found.clusters,
    }


def _plain(value: Detail) -> dict[str, float | int | None] | float | str | None:
    if isinstance(value, Interval):
        return _interval_to_json(value)
    return value if isinstance(value, str) else _finite(value)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
