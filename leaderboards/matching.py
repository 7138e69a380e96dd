"""Which benchmark a name means that a user gave."""


def is_of(benchmark: str, name: str) -> bool:
    """Whether a name takes a benchmark: its own name, or that without the version."""
    if benchmark == name:
        return True
    rest = benchmark.removeprefix(name)
    if rest == benchmark:
        return False
    return rest[0] in "/ " or (rest[0] == "-" and rest[1:].lstrip("v")[:1].isdigit())
