"""Lines of output, in which names and texts of files do nothing to the terminal."""

import sys

from mnpo.printable import cut, printable


def say(line: str) -> None:
    """A line of the result, on stdout."""
    print(printable(line))


def note(line: str) -> None:
    """What should be known, on stderr."""
    print(f"note: {cut(printable(line))}", file=sys.stderr)


def complain(line: str) -> None:
    """What is wrong, on stderr."""
    print(f"mnpo-bench: {cut(printable(line))}", file=sys.stderr)
