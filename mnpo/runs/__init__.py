"""Run directories: what every command writes its results into, and can resume from.

A leaf module: it knows nothing of games, models or benchmarks, and any package may use it.
"""

from mnpo.runs.directory import RunDirectory
from mnpo.runs.files import digest, sha256_file, write_atomically

__all__ = ["RunDirectory", "digest", "sha256_file", "write_atomically"]
