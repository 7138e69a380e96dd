"""Run one command again and again in forked processes, each of which kills itself somewhere.

    python kill_at.py REPORT POINT,POINT,... WORDS OF THE COMMAND

The last process is not killed. REPORT gets, for each, how it ended and what the stages did. Forking
after the imports saves seconds a process; nothing has been computed by then.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import transformers  # noqa: F401  the slow part, before the forks

from mnpo.cli import main
from mnpo.training import stages
from mnpo.training.engine import iteration, trainer  # noqa: F401
from mnpo.training.generation import transformers_backend  # noqa: F401
from mnpo.training.logprobs import scoring, store  # noqa: F401
from mnpo.training.models import loading, saving  # noqa: F401
from mnpo.training.online import asking, sampling
from mnpo.training.runs import export, jobs, run

asking.SHARD = 3  # several shards for a handful of prompts


def die(*_: Any, **__: Any) -> None:
    """What nothing can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


def on_call(owner: Any, name: str, number: int, *, after: bool) -> None:
    """Die at the so-manieth call of a function, before it or when it has returned."""
    true, calls = getattr(owner, name), iter(range(1, 10**6))

    def counted(*arguments: Any, **options: Any) -> Any:
        last = next(calls) == number
        if last and not after:
            die()
        result = true(*arguments, **options)
        if last:
            die()
        return result

    setattr(owner, name, counted)


#: owner, name, which call, after it or before.
POINTS: dict[str, tuple[Any, str, int, bool]] = {
    "the run is being set up": (run.RunDirectory, "begin", 1, False),
    "between two shards of samples": (sampling, "write_shard", 1, True),
    "samples are complete and not sealed": (sampling, "save_groups", 1, True),
    "between two shards of answers": (asking, "write_shard", 1, True),
    "log-probs are computed and not written": (store, "write_atomically", 1, False),
    "in a step after a checkpoint": (trainer.GroupTrainer, "_loss_and_measures", 8, False),
    "a checkpoint is written and not sealed": (trainer, "seal_checkpoint", 1, False),
    "the policy is written and not renamed": (saving, "_write", 1, True),
    "a stage is sealed and not renamed": (stages, "write_atomically", 1, True),
    "a stage is renamed and its scratch still there": (stages, "_clean", 1, False),
    "in the second iteration's samples": (sampling, "write_shard", 2, False),
    "in the second iteration's steps": (trainer.GroupTrainer, "_loss_and_measures", 6, False),
    "the method's part is not written": (jobs, "result_of", 1, True),
    "trained and not exported": (run, "_export", 1, False),
    "in the middle of the export": (export.os, "link", 2, False),
    "tables are being written": (run, "write_atomically", 2, False),
    "before the end is noted": (run.RunDirectory, "finish", 1, False),
}


def record(events: Any) -> None:
    """Write down what is done, at once: there is no later for a killed process."""

    def follow(owner: Any, name: str, event: str, key: Any) -> None:
        true = getattr(owner, name)

        def followed(*arguments: Any) -> Any:
            result = true(*arguments)
            events.write(json.dumps([event, key(*arguments)]) + "\n")
            events.flush()
            return result

        setattr(owner, name, followed)

    follow(stages.StageStore, "_make", "stage", lambda store, kind, key, *_: key)
    follow(sampling, "write_shard", "shard", lambda file, rows: str(file))
    follow(asking, "write_shard", "shard", lambda file, rows: str(file))
    follow(trainer, "seal_checkpoint", "checkpoint", lambda folder, key: str(folder))
    follow(store, "_dump", "log-probs", lambda key, _: key)


def attempt(point: str | None, words: list[str], folder: Path) -> dict[str, Any]:
    """One process: how it ended, its events, its output."""
    names = [folder / name for name in ("events", "out", "err")]
    child = os.fork()
    if child == 0:
        for number, name in ((1, names[1]), (2, names[2])):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        with names[0].open("w") as events:
            record(events)
            if point is not None:
                owner, name, number, after = POINTS[point]
                on_call(owner, name, number, after=after)
            sys.argv = ["mnpo-bench", *words]
            try:
                main()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    events, out, err = (name.read_text() for name in names)
    return {
        "point": point,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "events": [json.loads(line) for line in events.splitlines()],
        "out": out,
        "err": err,
    }


if __name__ == "__main__":
    report, points, words = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    chosen = [*(points.split(",") if points else []), None]
    ends = [attempt(point, words, report.parent) for point in chosen]
    report.write_text(json.dumps(ends, indent=1))
