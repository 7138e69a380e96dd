"""Names of the parts of a training run; nothing heavy is imported here."""


def part_key(method: str, seed: int) -> str:
    """Name of the part of a method's run."""
    return f"{method}-seed-{seed}"
