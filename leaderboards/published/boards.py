"""Which boards are published, and the commands that make them."""

import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedBoard:
    """One folder of `leaderboards/published`.

    Attributes:
        name: of the folder, and of the run below ``runs/``.
        title: of the board.
        what: one sentence for the index.
        make: words of the command that makes the run; ``--output`` is added.
        files: of the board that are published.
    """

    name: str
    title: str
    what: str
    make: tuple[str, ...]
    files: tuple[str, ...] = ("leaderboard.csv", "leaderboard.md")

    @property
    def run(self) -> str:
        """The run directory, below the folder where the commands are called."""
        return f"runs/{self.name}"

    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Words of all commands, in order, without the program's name."""
        render = ("leaderboard", self.run, "--title", self.title, "--output", self.name)
        return ((*self.make, "--output", self.run), render, ("leaderboard", "--check", self.name))

    def lines(self) -> list[str]:
        """The commands as one would type them."""
        return [shlex.join(("mnpo-bench", *words)) for words in self.commands()]


BOARDS = (
    PublishedBoard(
        name="simulator-suite",
        title="All algorithms on all games",
        what="Every algorithm of the simulator on every family of games, with exact preferences "
        "and with equally many noisy queries; step sizes tuned by one procedure, figures of "
        "held-out games.",
        make=("simulate", "--suite", "standard"),
    ),
    PublishedBoard(
        name="tiny",
        title="Sixteen methods on the embedded model",
        what="The recipe `tiny` with three seeds: half a million weights, a population of three "
        "readers. It shows the mechanics and says nothing about real language models.",
        make=("train-all", "--recipe", "tiny", "--seeds", "3"),
    ),
    PublishedBoard(
        name="smollm2-135m",
        title="Seven methods on SmolLM2-135M-Instruct",
        what="The recipe `smollm2-135m` on the embedded prompts with a third of its budget and one "
        "seed: that the chain runs on a real model. One seed does not rank methods.",
        make=(
            *("train-all", "--recipe", "smollm2-135m"),
            *("--set", "budget.prompts=24", "--set", "budget.iterations=2"),
        ),
    ),
    PublishedBoard(
        name="claims",
        title="Claims of the papers, tested",
        what="What MNPO's paper and its relatives claim, each with a test, a verdict and a number.",
        make=("verify",),
        files=("leaderboard.md",),
    ),
)
