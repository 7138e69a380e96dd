"""A whole evaluation in one run directory that can be taken up again."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.naming import folder_name
from evaluation.scores import Scores
from evaluation.suite.answering import Listen, collect_answers
from evaluation.suite.harness import check_lm_eval, run_lm_eval
from evaluation.suite.judging import Judging, Scored
from evaluation.suite.opening import Suite, open_suite
from evaluation.suite.plan import EvaluationPlan, make_plan
from evaluation.suite.settings import CACHE, EvaluationSettings, what_counts
from evaluation.tidy import results_csv
from mnpo.errors import DiskFull, InvalidSetting, UserError
from mnpo.judging.cache import AnswerCache
from mnpo.runs import RunDirectory, write_atomically
from mnpo.runs.alive import LOCK
from mnpo.training.models.card import find_secret
from mnpo.training.oracles.build import Games
from mnpo.training.stages import StageStore


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gave.

    Attributes:
        folder: the run directory.
        scores: of every benchmark under every judge that could be scored.
        failures: of the others, one line each.
        spend: what judging cost, one line a judge and benchmark.
    """

    folder: Path
    scores: tuple[Scores, ...]
    failures: tuple[str, ...]
    spend: tuple[str, ...]


def silent(what: str, done: int, total: int | None) -> None:
    """Listen to nothing."""


def plan_evaluation(
    settings: EvaluationSettings,
    folder: Path,
    *,
    games: Games | None = None,
    overwrite: bool = False,
) -> EvaluationPlan:
    """What `run_evaluation` would do and cost; nothing is asked or written.

    Raises:
        UserError: as `run_evaluation`, before it begins.
    """
    suite = _open(settings, folder, games, overwrite)
    return make_plan(suite, _cache_path(settings, folder))


def run_evaluation(
    settings: EvaluationSettings,
    folder: Path,
    *,
    games: Games | None = None,
    overwrite: bool = False,
    listen: Listen = silent,
) -> Evaluation:
    """Answers, verdicts, scores and files.

    A benchmark that cannot be scored (verdicts are missing, a judge is down) does not stop the
    others: it is reported, and the same call asks only what is missing.

    Args:
        settings: checked.
        folder: the run directory; another one's is refused, an unfinished one continued.
        games: finds matrices for oracles that name a game.
        overwrite: replace what is in the folder.
        listen: told what is going on.

    Raises:
        UserError: something cannot be used (nothing has been written then), or a model does not
            answer.
    """
    suite = _open(settings, folder, games, overwrite)
    began = time.monotonic()
    run = RunDirectory.open(
        folder,
        settings.model_dump(mode="json"),
        inputs=suite.inputs(),
        overwrite=overwrite,
        essence=what_counts,
    )
    with _alone(folder):
        run.begin(
            taken_over=(folder / "stages").is_dir(),
            judges=[judge.describe() for _, judge in suite.judges],
            tokens={name: own.contract.describe() for name, own in suite.models.items()},
            device=suite.device,
        )
        return _evaluate(run, suite, listen, began)


def _evaluate(run: RunDirectory, suite: Suite, listen: Listen, began: float) -> Evaluation:
    settings, folder = suite.settings, run.path
    work = _Work(run, suite)
    with AnswerCache(_cache_path(settings, folder)) as cache:
        judging = Judging(suite, cache, listen)
        for name in suite.judged:
            answers = collect_answers(suite, name, work.stages, judging.speak, listen)
            work.generated[name] = answers.tokens
            for index in range(len(suite.judges)):
                with work.reported(f"{name}, judge {suite.judges[index][1].name}"):
                    work.keep(judging.judge(name, index, answers))
            work.keep_agreement(suite.benchmarks[name].name, judging.agreement(name, answers))
        if "cross-play" in settings.benchmarks:
            questions = settings.cross_play.questions
            answers = collect_answers(suite, questions, work.stages, judging.speak, listen)
            for index in range(len(suite.judges)):
                with work.reported(f"cross-play, judge {suite.judges[index][1].name}"):
                    work.keep(judging.cross_play(index, answers))
            work.keep_agreement("cross-play", judging.agreement("cross-play", answers))
        work.spend += judging.spend_lines()
    if "lm-eval" in settings.benchmarks:
        with work.reported("lm-eval"):
            work.keep(run_lm_eval(suite, folder / "lm-eval-runs", listen))
    return work.close(time.monotonic() - began)


def _open(
    settings: EvaluationSettings, folder: Path, games: Games | None, overwrite: bool
) -> Suite:
    config = settings.model_dump(mode="json")
    if secret := find_secret(config):
        raise InvalidSetting(
            f"the settings hold {secret}, and settings are written down; put the key into a "
            "variable and name that one in api_key_env instead"
        )
    run = RunDirectory(folder)
    run.refuse(config, overwrite=overwrite, essence=what_counts)
    suite = open_suite(settings, games=games)
    if "lm-eval" in settings.benchmarks:
        check_lm_eval(suite)
    run.refuse(config, inputs=suite.inputs(), overwrite=overwrite, essence=what_counts)
    with AnswerCache(_cache_path(settings, run.path)) as cache:
        len(cache)  # a damaged or foreign file is said now, not when models have answered
    return suite


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse to work in a folder where another process works.

    Raises:
        UserError: one does.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(str(folder / LOCK), timeout=0.5):  # `status` looks for a moment
            yield
    except Timeout:
        raise UserError(
            f"another process is evaluating in {folder}; wait for it, or give another --output "
            "folder (with cache=FILE both may share their verdicts)"
        ) from None


def _cache_path(settings: EvaluationSettings, folder: Path) -> Path:
    return Path(settings.cache) if settings.cache else folder / CACHE


class _Work:
    """What has been found so far, and where it is written."""

    def __init__(self, run: RunDirectory, suite: Suite) -> None:
        self.stages = StageStore(run.path / "stages")
        self.spend: list[str] = []
        #: Tokens that models read and wrote, by benchmark.
        self.generated: dict[str, tuple[int, int]] = {}
        self._run = run
        self._suite = suite
        self._scores: list[Scores] = []
        self._failures: list[str] = []
        self._outputs: dict[str, Path] = {}

    @contextmanager
    def reported(self, what: str) -> Iterator[None]:
        """Report a failure and go on with the next benchmark."""
        try:
            yield
        except DiskFull:
            raise
        except UserError as error:
            self._failures.append(f"{what}: {error}")

    def keep(self, scored: Scored) -> None:
        """Write a benchmark's files; its results last."""
        scores = scored.scores
        place = Path(scores.benchmark.replace("/", "-"))
        if scores.judge:
            place /= folder_name(scores.judge)
        for name, content in scored.files.items():
            self._write(place / name, content)
        self._write(place / "results.json", scores.json())
        self._scores.append(scores)

    def keep_agreement(self, benchmark: str, files: Mapping[Path, str]) -> None:
        """Write what is known of the judges of a benchmark, also of a single one."""
        for name, text in files.items():
            self._write(Path(benchmark) / name, text)

    def close(self, seconds: float) -> Evaluation:
        """The tables over all benchmarks, and the end of the manifest."""
        self._run.update_manifest(
            generated={
                name: {"tokens_read": read, "tokens_written": written}
                for name, (read, written) in self.generated.items()
            }
        )
        if self._failures and not self._scores:
            self._run.update_manifest(
                status="failed", failures=self._failures, seconds=round(seconds, 3)
            )
            return Evaluation(self._run.path, (), tuple(self._failures), tuple(self.spend))
        name = self._run.path.name
        origins = self._suite.origins(name)
        hashes = self._suite.model_hashes()
        rows = [row for own in self._scores for row in own.results(name, origins, hashes)]
        self._write(Path("results.csv"), results_csv(rows))
        whole: dict[str, Any] = {
            "run": name,
            "results": [own.describe() for own in self._scores],
            "failures": self._failures,
            "spend": self.spend,
        }
        self._write(Path("results.json"), json.dumps(whole, indent=1, allow_nan=False) + "\n")
        if self._failures:
            self._run.update_manifest(
                status="failed", failures=self._failures, seconds=round(seconds, 3)
            )
        else:
            self._run.finish(self._outputs, seconds)
        return Evaluation(
            self._run.path, tuple(self._scores), tuple(self._failures), tuple(self.spend)
        )

    def _write(self, name: Path, content: str | bytes) -> None:
        path = self._run.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
        self._outputs[str(name)] = path
