"""Test claims in a run directory: resume what is there, test the rest, write the results."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.registry import find_claims
from leaderboards.claims.stored import finding_from_json, finding_to_json, findings_to_json
from leaderboards.claims.table import claims_markdown
from mnpo.errors import InvalidSetting
from mnpo.printable import shown
from mnpo.runs import RunDirectory, digest, write_atomically
from mnpo.runs.alive import at_work
from mnpo.runs.workers import become_worker, interrupts_held_back, process_pool

#: The seeds that games and generators take, with room for those counted from it.
_MAX_SEED = 2**31 - 1 - 1_000_000
Found = tuple[tuple[Claim, Finding], ...]
#: Called with a claim and its finding once it is there; True: it had been found before.
Listener = Callable[[Claim, Finding, bool], None]


def verify(
    names: Sequence[str],
    effort: Effort,
    folder: Path,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    command: str = "",
    listen: Listener = lambda claim, finding, before: None,
) -> Found:
    """Test claims, keep every finding at once, and write claims.json and claims.md.

    The same names and effort in the same folder take up where an earlier call was interrupted;
    a finding whose file was damaged is found again.

    Args:
        names: of `leaderboards.claims.CLAIMS`; none for all.
        effort: how much work.
        folder: the run directory.
        jobs: claims that are tested at the same time, in processes of their own.
        overwrite: replace a run with other claims or another effort.
        command: that asks for it, for the files.
        listen: told of every finding.

    Returns:
        the claims in their own order, with their findings.

    Raises:
        UserError: unknown claim, impossible effort, or a folder that belongs to something else.
        OSError: it cannot be written.
    """
    begun = time.perf_counter()
    claims = find_claims(names)
    _require(effort, jobs)
    config = {
        "claims": [claim.name for claim in claims],
        "seeds": effort.seeds,
        "seed": effort.seed,
        "quick": effort.quick,
    }
    directory = RunDirectory.open(Path(folder), config, overwrite=overwrite)
    found: dict[str, Finding] = {}
    for claim in claims:
        kept = _kept(directory, claim, effort)
        if kept is not None:
            found[claim.name] = kept
            listen(claim, kept, True)
    missing = [claim for claim in claims if claim.name not in found]
    if missing:
        directory.begin(taken_over=bool(found), jobs=len(claims))
    with at_work(directory.path):
        for claim, finding in _tested(missing, effort, jobs):
            directory.write_part(_key(claim, effort), "json", json.dumps(finding_to_json(finding)))
            found[claim.name] = finding
            listen(claim, finding, False)
    pairs = tuple((claim, found[claim.name]) for claim in claims)
    outputs = {
        "claims.json": findings_to_json(pairs, effort, command),
        "claims.md": claims_markdown(pairs, command=command),
    }
    for name, text in outputs.items():
        write_atomically(directory.path / name, text)
    seconds = time.perf_counter() - begun
    if not missing:  # what it took when it was tested
        seconds = float(directory.manifest().get("seconds", seconds))
    directory.finish({name: directory.path / name for name in outputs}, seconds)
    return pairs


def _require(effort: Effort, jobs: int) -> None:
    for name, value, least in (("seeds", effort.seeds, 2), ("seed", effort.seed, 0)):
        if value < least:
            raise InvalidSetting(f"--{name} must be a whole number of at least {least}: {value!r}")
    if effort.seed > _MAX_SEED:
        raise InvalidSetting(f"--seed must be at most {_MAX_SEED}, got {shown(effort.seed, 40)}")
    if effort.seeds > 10_000:
        raise InvalidSetting(f"--seeds must be at most 10000, got {effort.seeds}")
    if jobs < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {jobs}")


def _tested(claims: list[Claim], effort: Effort, jobs: int) -> Iterator[tuple[Claim, Finding]]:
    """(claim, finding) as they finish."""
    if jobs == 1 or len(claims) < 2:
        for claim in claims:
            yield claim, claim.find(effort)
        return
    from concurrent.futures import as_completed

    with process_pool(min(jobs, len(claims)), become_worker, kept="finished claims") as pool:
        with interrupts_held_back():
            # The longest ones stand at the end of the list.
            futures = {pool.submit(_find, claim.name, effort): claim for claim in claims[::-1]}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _find(name: str, effort: Effort) -> Finding:
    (claim,) = find_claims([name])
    return claim.find(effort)


def _kept(directory: RunDirectory, claim: Claim, effort: Effort) -> Finding | None:
    key = _key(claim, effort)
    if not directory.has_part(key, "json"):
        return None
    stored: dict[str, Any] = json.loads(directory.part(key, "json").read_text())
    return finding_from_json(stored)


def _key(claim: Claim, effort: Effort) -> str:
    """Of a finding: what was tested, and with how much effort."""
    whole = {
        "claim": claim.describe(),
        "seeds": effort.seeds,
        "seed": effort.seed,
        "quick": effort.quick,
    }
    return f"{claim.name}-{digest(whole)[:12]}"
