"""lm-eval's tasks as one benchmark among the others."""

from pathlib import Path

from evaluation.harness.planning import HarnessSettings
from evaluation.harness.run import run_harness
from evaluation.harness.suite import chosen
from evaluation.suite.answering import Listen
from evaluation.suite.judging import Scored
from evaluation.suite.opening import Suite
from mnpo.errors import InvalidSetting


def harness_settings(suite: Suite) -> HarnessSettings:
    """lm-eval's part of the settings.

    Raises:
        InvalidSetting: models that would be loaded in different ways.
    """
    settings, options = suite.settings, suite.settings.lm_eval
    precisions = {own.settings.precision for own in suite.models.values()}
    if len(precisions) > 1:
        raise InvalidSetting("lm-eval needs one precision for all models; evaluate them apart")
    return HarnessSettings(
        data_dir=lm_eval_folder(settings.data_dir),
        limit=settings.limit,
        num_fewshot=options.num_fewshot,
        batch_size=options.batch_size,
        device=suite.device,
        precision=precisions.pop() if precisions else "float32",
        allow_code=settings.allow_code,
        chat_template=options.chat_template,
    )


def check_lm_eval(suite: Suite) -> None:
    """Refuse what would be refused later, before anything is generated.

    Raises:
        UserError: an unknown task, or settings that cannot be.
    """
    chosen(_tasks(suite))
    harness_settings(suite)


def lm_eval_folder(data_dir: str | None) -> Path | None:
    """Where lm-eval's documents lie: the folder given, else the imported one, else the hub's."""
    from evaluation.data.find import find_files

    if data_dir is not None:
        inner = Path(data_dir) / "lm_eval"
        return inner if inner.is_dir() else Path(data_dir)
    return find_files("lm-eval", None).get("folder")


def run_lm_eval(suite: Suite, output: Path, listen: Listen) -> Scored:
    """Run the tasks on every model that is there to be run.

    Raises:
        UserError: none of the tasks can be run, or from one of them.
    """
    scores = run_harness(
        {name: str(own.policy.path) for name, own in suite.models.items()},
        _tasks(suite),
        output=output,
        settings=harness_settings(suite),
        say=lambda line: listen(f"lm-eval: {line}", 0, None),
    )
    return Scored(scores, {})


def _tasks(suite: Suite) -> tuple[str, ...]:
    names = suite.settings.lm_eval.tasks
    return ("paper",) if names is None else names
