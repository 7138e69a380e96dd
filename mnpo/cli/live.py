"""What a run shows while it goes on: on a terminal one line, elsewhere nothing."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mnpo.training.runs.jobs import Hooks

if TYPE_CHECKING:
    from mnpo.training.recipe import Recipe

_DOING = {"sample": "sampling", "ask": "asking the oracle", "train": "training"}


class Live:
    """A progress bar over the runs, with the stage that is under way.

    Args:
        recipe: names the runs.
        quiet: show nothing.
        chain: names of the stages that one command goes through, training first; with several the
            line says which one is under way.
    """

    def __init__(self, recipe: "Recipe", *, quiet: bool, chain: Sequence[str] = ()) -> None:
        self._chain = tuple(chain)
        self._now = ""
        self._what = ""
        console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[stage]}", markup=False),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        total = len(recipe.methods) * len(recipe.seeds)
        self._task = self._progress.add_task(recipe.recipe, total=total, stage="", start=False)
        self.hooks = Hooks(stage=self._stage, steps=self._steps, method=self._method)

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def judging(self) -> None:
        """The cross-play begins."""
        self._show("cross-play", "")

    def begin(self, name: str) -> None:
        """A stage of the chain begins."""
        if len(self._chain) < 2:
            return
        self._now = f"{self._chain.index(name) + 1}/{len(self._chain)} {name}"
        if name != self._chain[0]:
            self._progress.reset(self._task, total=1)
            self._show("", "")

    def show(self, what: str, done: int, total: int | None) -> None:
        """What is going on after the training, and how far it is."""
        if what != self._what:
            self._what = what
            self._progress.reset(self._task, total=total)
        self._show(what, "")
        self._progress.update(self._task, completed=done, total=total)

    def _method(self, method: str, seed: int, status: str) -> None:
        if status == "started":
            self._show(f"{method}, seed {seed}", "")
        else:
            self._progress.start_task(self._task)
            self._progress.advance(self._task)

    def _stage(self, event: str, kind: str, key: str, detail: str) -> None:
        if event == "started":
            self._show(None, _DOING.get(kind, kind))
        elif event == "damaged" and not self._quiet:
            self._progress.console.print(f"note: {detail}", markup=False, soft_wrap=True)

    def _steps(self, what: str, done: int, total: int) -> None:
        self._show(None, f"{what} {done}/{total}")

    def _show(self, description: str | None, stage: str) -> None:
        # Started late: the plan is printed above, and a bar that waits would be in its way.
        if not self._progress.live.is_started:
            self._progress.start()
            self._progress.start_task(self._task)
        if description is None:
            self._progress.update(self._task, stage=stage)
        else:
            description = " ".join(part for part in (self._now, description) if part)
            self._progress.update(self._task, description=description, stage=stage)
