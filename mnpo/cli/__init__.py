"""The command line, `mnpo-bench`: one file per command."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C is one line and exit code 130, also while modules load."""
    try:
        from mnpo.cli.app import main as run

        run()
    except KeyboardInterrupt:
        print("mnpo-bench: interrupted", file=sys.stderr)
        sys.exit(130)
