"""An evaluation's folder, as far as counting again needs it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluation.naming import folder_name
from evaluation.suite.settings import EvaluationSettings
from mnpo.errors import DamagedRun
from mnpo.runs.reading import load_written
from mnpo.validation import check


@dataclass(frozen=True)
class Told:
    """What an evaluation says of one benchmark under one judge.

    Attributes:
        folder: that holds answers, verdicts and ``results.json``.
        settings: of the evaluation.
        benchmark: name and version.
        judge: its name, "" for none.
        models: by name: metrics, official figures and the rest, as in ``results.json``.
        entry: of the run's ``results.json``, whole.
    """

    folder: Path
    settings: EvaluationSettings
    benchmark: str
    judge: str
    models: Mapping[str, Mapping[str, Any]]
    entry: Mapping[str, Any]

    def file_of(self, model: str, ending: str = ".jsonl") -> str:
        """What a model's file is called."""
        return folder_name(model) + ending

    def stopped_early(self) -> bool:
        """Whether fewer questions were asked than the settings say, for the figures sufficed."""
        return self.settings.stop_width is not None


def read_told(run: Path) -> Iterator[Told]:
    """All benchmarks and judges of an evaluation.

    Raises:
        DamagedRun: a file of the run cannot be read.
    """
    try:
        config = load_written((run / "run.yaml").read_text("utf-8"))
        whole = json.loads((run / "results.json").read_text("utf-8"))
        settings = check(EvaluationSettings, config)
        for entry in whole["results"]:
            folder = run / str(entry["benchmark"]).replace("/", "-")
            judge = str(entry["judge"])
            yield Told(
                folder / folder_name(judge) if judge else folder,
                settings,
                str(entry["benchmark"]),
                judge,
                dict(entry["models"]),
                entry,
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise DamagedRun(f"{run}: run.yaml or results.json cannot be read ({error})") from None
