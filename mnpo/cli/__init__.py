"""The command line, `mnpo-bench`: one file per command."""

from mnpo.cli.app import main

__all__ = ["main"]
