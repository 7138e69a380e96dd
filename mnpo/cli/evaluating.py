"""What `evaluate` does behind its options."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mnpo.cli.lines import complain, say

if TYPE_CHECKING:
    from rich.table import Table

    from evaluation.scores import Scores
    from evaluation.suite.run import Evaluation
    from evaluation.suite.settings import EvaluationSettings


@dataclass(frozen=True)
class Request:
    """An evaluation that was asked for.

    Attributes:
        settings: resolved.
        output: the run directory; None takes ``runs/evaluate-HASH``.
        overwrite, dry_run, as_json: the options.
    """

    settings: "EvaluationSettings"
    output: Path | None
    overwrite: bool
    dry_run: bool
    as_json: bool


def load(
    config: str | None,
    models: Sequence[str],
    outputs: Sequence[str],
    shortcuts: Mapping[str, Any],
    assignments: Sequence[str],
) -> "EvaluationSettings":
    """The settings that the command line asks for."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # Set before torch loads: on shared cores several threads are slower than one.
        os.environ.setdefault(variable, "1")
    from evaluation.suite.loading import load_settings
    from mnpo.runs.reading import read_assignments

    return load_settings(config, models, outputs, shortcuts, read_assignments(assignments))


def judges_of(
    given: Sequence[str], url: str | None, model: str | None, key_env: str | None
) -> list[dict[str, Any]] | None:
    """Judges from --judge and from the shortcut options; None where neither is given.

    Raises:
        UserError: a file that is no YAML, an unknown key, or half a shortcut.
    """
    from evaluation.judges.settings import read_judge
    from mnpo.errors import InvalidSetting
    from mnpo.judging.secrecy import check_variable

    try:
        check_variable(key_env)
    except ValueError as error:
        raise InvalidSetting(f"--judge-key-env {error}") from None
    judges = [read_judge(text, "--judge: {}".format).model_dump(mode="json") for text in given]
    if url is not None or model is not None:
        if not url or not model:
            raise InvalidSetting("--judge-url and --judge-model go together; give both")
        judges.append({"kind": "endpoint", "url": url, "model": model, "api_key_env": key_env})
    elif key_env is not None:
        raise InvalidSetting("--judge-key-env goes with --judge-url and --judge-model")
    return judges or None


def evaluate_and_report(request: Request) -> None:
    """Plan, answer, judge, score, print; exit code 1 when a benchmark could not be scored.

    Raises:
        UserError: before anything is written.
    """
    from evaluation.suite.run import plan_evaluation, run_evaluation
    from mnpo.cli.printing import print_to
    from mnpo.cli.progress import Progress
    from mnpo.cli.training import find_game

    folder = request.output or _default_folder(request.settings)
    if request.dry_run:
        plan = plan_evaluation(
            request.settings, folder, games=find_game, overwrite=request.overwrite
        )
        if request.as_json:
            import json

            print(json.dumps(plan.describe(), indent=1))
        else:
            print_to(sys.stdout, *plan.lines())
            say(f"would write to {folder}")
        return
    try:
        with Progress(quiet=request.as_json) as progress:
            result = run_evaluation(
                request.settings,
                folder,
                games=find_game,
                overwrite=request.overwrite,
                listen=progress.show,
            )
    except KeyboardInterrupt:
        complain(
            f"interrupted; answers and verdicts so far are kept in {folder}, the same command "
            "goes on"
        )
        sys.exit(130)  # main would say no more than that it was interrupted
    _report(request, result)
    if result.failures:
        raise typer.Exit(1)


def _default_folder(settings: "EvaluationSettings") -> Path:
    from evaluation.suite.settings import what_counts
    from mnpo.runs import digest

    return Path("runs") / f"evaluate-{digest(what_counts(settings.model_dump(mode='json')))[:8]}"


def _report(request: Request, result: "Evaluation") -> None:
    from mnpo.cli.printing import print_to, width_of

    if request.as_json:
        print((result.folder / "results.json").read_text() if result.scores else "{}")
    else:
        width = width_of(sys.stdout)
        warned: set[str] = set()
        for scores in result.scores:
            print_to(sys.stdout, *_tables(scores, width), *scores.notes)
            warnings = [f"warning: {own.model}: {f}" for own in scores.models for f in own.flags]
            # What is odd about answers is said by every judge that read them.
            print_to(sys.stdout, *(line for line in warnings if line not in warned))
            warned.update(warnings)
        print_to(sys.stdout, *(f"spent:    {line}" for line in result.spend))
        if result.scores:
            say(f"results:  {result.folder / 'results.csv'}, results.json")
    for failure in result.failures:
        complain(failure)


def _tables(scores: "Scores", width: int) -> list["Table"]:
    from evaluation.harness.table import suite_table
    from evaluation.scores_table import parts_table, scores_table

    if scores.benchmark.startswith("lm-eval"):
        return [suite_table(scores)]
    parts = parts_table(scores)
    return [scores_table(scores, width), *(() if parts is None else (parts,))]
