"""Independent random streams from one seed, by name."""

import hashlib
import json


def seed_for(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one purpose, e.g. ``seed_for(0, "sample", 2, "player", 1)``."""
    text = json.dumps([seed, *names], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
