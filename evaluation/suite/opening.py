"""Everything that an evaluation's settings resolve to, found and checked before any work."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.answers.endpoint import Speaker
from evaluation.answers.generate import AnsweringModel, open_model
from evaluation.answers.given import read_answers
from evaluation.benchmark import Benchmark
from evaluation.judges.build import build_judge
from evaluation.judges.settings import JudgeSpec, require_distinct
from evaluation.pool.benchmark import CrossPlayBenchmark
from evaluation.records import ModelAnswers, spread
from evaluation.suite.benchmarks import open_judged
from evaluation.suite.fitness import require_fit
from evaluation.suite.models import origin_of
from evaluation.suite.numbers import of_questions
from evaluation.suite.placeholders import placeholders
from evaluation.suite.settings import EvaluationSettings
from evaluation.tidy import Origin
from mnpo.errors import InvalidSetting
from mnpo.judging.calls import Judge
from mnpo.runs.files import digest
from mnpo.training.oracles.build import Games
from mnpo.training.workbench import pick_device
from mnpo.training.world import current_world


@dataclass(frozen=True, eq=False)
class Suite:
    """What is to be done.

    Attributes:
        settings: what was asked for.
        models: ready to be asked, by name; a model whose answers are all given is not among them.
        speakers: models behind chat endpoints, by name.
        given: answers from files, by (model, benchmark).
        benchmarks: those that a judge reads, by canonical name, cross-play's questions included.
        judges: with the settings of each, the headline's first.
        device: where models in this process compute.
    """

    settings: EvaluationSettings
    models: Mapping[str, AnsweringModel]
    speakers: Mapping[str, Speaker]
    given: Mapping[tuple[str, str], ModelAnswers]
    benchmarks: Mapping[str, Benchmark]
    judges: tuple[tuple[JudgeSpec, Judge], ...]
    device: str

    @property
    def judged(self) -> tuple[str, ...]:
        """Benchmarks that are scored question by question under each judge."""
        return tuple(name for name in self.settings.benchmarks if name in self.benchmarks)

    def origins(self, run: str) -> dict[str, Origin]:
        """Where each model comes from, for the tidy table."""
        return {
            own.name: origin_of(self.models[own.name].policy.path, own.name, run)
            if own.name in self.models
            else Origin(run, own.name)
            for own in self.settings.models
        }

    def model_hashes(self) -> dict[str, dict[str, str]]:
        """What each model is known by: its weights, or the files with its answers."""
        found: dict[str, dict[str, str]] = {
            name: {"policy": own.policy.sha256} for name, own in self.models.items()
        }
        found |= {name: {"endpoint": digest(own.describe())} for name, own in self.speakers.items()}
        for (model, name), answers in self.given.items():
            found.setdefault(model, {})[f"answers to {name}"] = answers.hashes["answers"]
        return found

    def inputs(self) -> dict[str, str]:
        """sha256 of all that is read, for the manifest."""
        found = {f"model {name}": own.policy.sha256 for name, own in self.models.items()}
        for (model, name), answers in self.given.items():
            found[f"answers of {model} to {name}"] = answers.hashes["answers"]
        for name, benchmark in self.benchmarks.items():
            found |= {f"{name} {role}": sha256 for role, sha256 in benchmark.hashes().items()}
        return found


def open_suite(settings: EvaluationSettings, *, games: Games | None = None) -> Suite:
    """Find models, benchmark files and judges; nothing is asked and nothing written.

    Args:
        settings: checked.
        games: finds matrices for oracles that name a game.

    Raises:
        UserError: something is missing or does not fit; the message says what to do.
    """
    device = pick_device(current_world())
    needed = [name for name in settings.benchmarks if name not in ("cross-play", "lm-eval")]
    if "cross-play" in settings.benchmarks:
        if len(settings.models) < 2:
            raise InvalidSetting("cross-play needs at least two models")
        needed.append(settings.cross_play.questions)
    whole = {name: open_judged(name, settings) for name in dict.fromkeys(needed)}
    benchmarks = {name: _limited(own, settings.limit) for name, own in whole.items()}
    given = {
        (own.name, name): of_questions(
            read_answers(Path(own.outputs[name]), whole[name].questions(), name=own.name),
            [question.id for question in benchmark.questions()],
        )
        for own in settings.models
        for name, benchmark in benchmarks.items()
        if name in own.outputs
    }
    models: dict[str, AnsweringModel] = {}
    speakers: dict[str, Speaker] = {}
    for own in settings.models:
        if own.model is not None:
            models[own.name] = open_model(own.name, own.model)
            continue
        if own.endpoint is not None:
            speakers[own.name] = Speaker(own.endpoint)
            if "lm-eval" in settings.benchmarks:
                raise InvalidSetting(
                    f"lm-eval needs a model's weights, and '{own.name}' is an endpoint; leave one "
                    "of them out"
                )
            continue
        for name in (*benchmarks, *(n for n in settings.benchmarks if n == "lm-eval")):
            if (own.name, name) not in given:
                raise InvalidSetting(
                    f"model '{own.name}' has no answers to {name}, and no model to ask; give "
                    "one of the two, or leave the benchmark out"
                )
    judges = _judges(settings, device, games) if benchmarks else ()
    for spec, judge in judges:
        for name, benchmark in benchmarks.items():
            if name in settings.benchmarks:
                example = placeholders("example", benchmark.questions(), 1)
                require_fit(spec, judge.name, name, benchmark.calls(example))
        if "cross-play" in settings.benchmarks:
            questions = benchmarks[settings.cross_play.questions].questions()
            pair = [placeholders(name, questions, 1) for name in ("one", "another")]
            calls = CrossPlayBenchmark(questions).calls_all(pair)
            require_fit(spec, judge.name, "cross-play", calls)
    return Suite(settings, models, speakers, given, benchmarks, judges, device)


def _limited(benchmark: Benchmark, limit: int | None) -> Benchmark:
    if limit is None:
        return benchmark
    return benchmark.only({own.id for own in spread(benchmark.questions(), limit)})


def _judges(
    settings: EvaluationSettings, device: str, games: Games | None
) -> tuple[tuple[JudgeSpec, Judge], ...]:
    specs: Any = settings.judges
    if specs is None:
        others = [name for name in settings.benchmarks if name not in ("mini", "lm-eval")]
        if settings.cross_play.questions == "mini":
            others = [name for name in others if name != "cross-play"]
        if others:
            raise InvalidSetting(
                f"{', '.join(others)}: name a judge, with --judge-url and --judge-model for an "
                "endpoint, or --judge for a local model or an oracle"
            )
        from evaluation.mini.default_judge import default_judge

        specs = (default_judge(),)
    built = tuple((spec, build_judge(spec, device=device, games=games)) for spec in specs)
    require_distinct([judge.name for _, judge in built])
    return built
