"""What a method spent: the counts that make a comparison fair, or show that it is not."""

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Ledger:
    """Counts of one method's run. Work shared with another method is charged to both.

    Attributes:
        prompts: prompts answered.
        responses: responses sampled.
        sampled_tokens: tokens generated.
        preference_queries: pairs of responses that the oracle was asked about.
        annotations: single answers behind them; an oracle of several annotators asks each.
        rewards: scalar rewards asked for.
        scored_tokens: response tokens whose log-probs under an anchor were computed.
        gradient_steps: optimizer steps.
        trained_groups: groups seen by gradient steps, epochs counted.
        trained_tokens: tokens in them, a group's prompt counted once.
        dropped: responses left out because nothing remained of them.
        seconds: wall time of the stages when they were made, shared ones included.
    """

    prompts: int = 0
    responses: int = 0
    sampled_tokens: int = 0
    preference_queries: int = 0
    annotations: int = 0
    rewards: int = 0
    scored_tokens: int = 0
    gradient_steps: int = 0
    trained_groups: int = 0
    trained_tokens: int = 0
    dropped: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Ledger") -> "Ledger":
        """Sums of all counts."""
        total = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Ledger(**total)

    def describe(self) -> dict[str, int | float]:
        """JSON-ready."""
        return asdict(self) | {"seconds": round(self.seconds, 1)}
