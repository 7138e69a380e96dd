"""What the papers claim, tested: `CLAIMS`, and `leaderboards.claims.run.verify` to test them."""

from leaderboards.claims.claim import Claim, Effort, Finding, Verdict
from leaderboards.claims.registry import CLAIMS, find_claims

__all__ = ["CLAIMS", "Claim", "Effort", "Finding", "Verdict", "find_claims"]
