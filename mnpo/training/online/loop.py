"""The online loop (MNPO's Algorithms 1 and 2), the same for every method.

For each iteration, player and update: sample K responses from the update's opponents, ask the
player's oracle, choose pairs, take the anchors' log-probs from the store, train, checkpoint. Every
piece is a stage that is found again by its inputs, so the loop has no state of its own to lose:
running it again after a kill walks through what is done and goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnpo.errors import InvalidSetting
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.ledger import Ledger
from mnpo.training.methods import Method
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.players import Players
from mnpo.training.online.task import UpdateTask
from mnpo.training.online.update import UpdateResult, run_update
from mnpo.training.seeds import seed_for
from mnpo.training.workbench import Workbench

#: Carries out one update: `run_update`, or a count of what it would cost (as plans do).
CarryOut = Callable[[Workbench, UpdateTask], UpdateResult]


@dataclass(frozen=True)
class StepLog:
    """Where the training curve of one update lies.

    Attributes:
        iteration, player, update: which one.
        path: JSON lines, one a gradient step.
        dropped: groups left out of it, and why.
    """

    iteration: int
    player: int
    update: int
    path: Path
    dropped: dict[str, int]


@dataclass(frozen=True)
class Trained:
    """A method's run with one seed.

    Attributes:
        method, seed: which run.
        policies: for each player its checkpoints at iterations 0 ... T.
        logs: training curves in order.
        ledger: what was spent.
    """

    method: Method
    seed: int
    policies: tuple[tuple[PolicyCheckpoint, ...], ...]
    logs: tuple[StepLog, ...]
    ledger: Ledger

    @property
    def final(self) -> tuple[PolicyCheckpoint, ...]:
        """Every player's last policy."""
        return tuple(own[-1] for own in self.policies)


def run_method(
    bench: Workbench, method: Method, seed: int, carry_out: CarryOut = run_update
) -> Trained:
    """Train a method for the recipe's iterations under its budget.

    Methods with several players or several updates an iteration share the iteration's prompts out
    among them, so that every method gets the same prompts, samples, queries and gradient steps.

    Raises:
        UserError: the pieces do not fit, or a stage failed for good; finished stages are kept.
    """
    budget = bench.recipe.budget
    count = method.players(len(bench.annotators))
    players = Players(
        bench.start, count, externals=bench.externals, magnet_period=method.magnet_period
    )
    parts = bench.parts(seed)
    logs: list[StepLog] = []
    ledger = Ledger()
    for t in range(budget.iterations):
        updates = method.updates(t)
        following: list[PolicyCheckpoint] = []
        carried: list[PolicyCheckpoint | None] = []
        for player in range(count):
            intermediate: PolicyCheckpoint | None = None
            before: PolicyCheckpoint | None = None
            for index, update in enumerate(updates):
                label = f"{method.name}, iteration {t + 1} of {budget.iterations}"
                if count > 1:
                    label += f", player {player + 1} of {count}"
                if len(updates) > 1:
                    label += f", update {index + 1} of {len(updates)}"
                before = intermediate
                result = carry_out(
                    bench,
                    UpdateTask(
                        method=method,
                        update=update,
                        anchors=players.anchors(update, player, intermediate),
                        opponents=players.opponents(update, player, intermediate),
                        current=players.current(player),
                        oracle=bench.annotators[player] if method.heterogeneous else bench.oracle,
                        prompts=_share(
                            parts[t],
                            player * len(updates) + index,
                            count * len(updates),
                            method.name,
                            split=budget.share_out,
                        ),
                        seed=seed_for(seed, t, player, index),
                        label=label,
                    ),
                )
                intermediate = result.policy
                ledger += result.ledger
                logs.append(StepLog(t, player, index, result.log, result.dropped))
            assert intermediate is not None
            following.append(intermediate)
            carried.append(before)
        players.advance(following, carried)
    return Trained(
        method=method,
        seed=seed,
        policies=tuple(tuple(own) for own in players.history),
        logs=tuple(logs),
        ledger=ledger,
    )


def _share(
    prompts: Sequence[PreparedPrompt], index: int, parts: int, name: str, *, split: bool
) -> Sequence[PreparedPrompt]:
    """The index-th of equal shares of an iteration's prompts, or all of them."""
    if not split or parts == 1:
        return prompts
    if len(prompts) < parts:
        raise InvalidSetting(
            f"{name} shares an iteration's prompts out among {parts} updates and there are only "
            f"{len(prompts)}; raise budget.prompts"
        )
    return prompts[index::parts]
