"""Which algorithms a game and its settings can run, for those who ask for all of them."""

from mnpo.errors import UserError
from simulators.study.config import StudyConfig
from simulators.study.plan import check_parameters, groups_of, rehearse
from simulators.study.settings import EXTRAS, MODE_SETTINGS, algorithm_settings, check_axes


def runnable_algorithms(config: StudyConfig) -> tuple[StudyConfig, list[str]]:
    """The configuration with the algorithms that can run, and a line for each that cannot.

    An algorithm that a setting or a sweep names, or that alone reads one of them, was asked for:
    it is refused and not left out, as is whatever no algorithm can run.

    Args:
        config: with every algorithm that may run.

    Raises:
        UserError: what is wrong with an algorithm that was asked for, or with all of them.
    """
    fixed = config.parameters | {f"game.{key}": v for key, v in config.game_parameters.items()}
    check_axes(config.sweep, config.game, config.algorithms, fixed)
    check_parameters(config)
    refusals = {
        name: error for name in config.algorithms if (error := _refusal(config, name)) is not None
    }
    runnable = tuple(name for name in config.algorithms if name not in refusals)
    for name, error in refusals.items():
        if not runnable or _was_asked_for(config, name, runnable):
            raise error
    lines = [f"{error} (left out of 'all')" for error in refusals.values()]
    return config.model_copy(update={"algorithms": runnable}), lines


def _refusal(config: StudyConfig, algorithm: str) -> UserError | None:
    try:
        for job in groups_of(config, algorithm):
            rehearse(job)
    except UserError as error:
        return error
    return None


def _was_asked_for(config: StudyConfig, algorithm: str, others: tuple[str, ...]) -> bool:
    axes = [axis.rpartition(".") for axis in config.sweep]
    if config.algorithm_parameters.get(algorithm) or algorithm in [owner for owner, *_ in axes]:
        return True
    given = {*config.parameters, *(key for owner, _, key in axes if not owner)}
    alone = algorithm_settings(algorithm).difference(*map(algorithm_settings, others))
    return bool(given & (alone - MODE_SETTINGS - EXTRAS))
