"""The claims that a verification tested, as a table."""

from dataclasses import replace

from leaderboards.board import Source, Table
from leaderboards.claims.stored import load_findings
from leaderboards.claims.table import claims_table
from leaderboards.collect.opening import Opened

CLAIMS = "claims.json"


def claims_table_of(opened: Opened, key: str) -> Table:
    """One row a claim.

    Raises:
        DamagedRun: the file is missing, damaged, broken or of another format.
    """
    opened.read(CLAIMS)
    table = claims_table(load_findings(opened.path))
    return replace(table, sources=(Source(key, CLAIMS),))
