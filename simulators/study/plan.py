"""From a configuration to jobs: everything is checked before anything is written or run."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mnpo.algorithms import find_entry
from mnpo.errors import InvalidSetting, NoMinimiser, UserError, suggest
from simulators.dynamics.modes import Mode
from simulators.dynamics.oracles import PlackettLuce
from simulators.dynamics.simulation import make_algorithm, simulate_batch
from simulators.games import Game, check_policy
from simulators.metrics.gaps import duality_gap
from simulators.study.config import StudyConfig
from simulators.study.job import Job, build_game, game_digest
from simulators.study.settings import (
    EXTRAS,
    MODE_SETTINGS,
    WHOLE_RUN,
    algorithm_settings,
    axes_of,
    check_axes,
    game_settings,
    translated,
)
from simulators.study.typed import typed_extras, typed_mode

#: Runs a job holds at most, and iterations times runs; keeps a job's memory near 50 MB.
MAX_RUNS, MAX_RUN_ITERATIONS = 2048, 400_000
#: Policies are kept while all of them together have at most this many entries.
MAX_POLICY_ENTRIES = 5_000_000
#: Trajectories are thinned beyond this many rows.
MAX_TRAJECTORY_ROWS = 400_000


@dataclass(frozen=True)
class Plan:
    """The jobs of a study, and what the user should know before they run."""

    jobs: list[Job]
    warnings: list[str]

    @property
    def runs(self) -> int:
        """Number of runs over all jobs."""
        return sum(job.runs for job in self.jobs)

    @property
    def run_iterations(self) -> int:
        """Runs times iterations, the unit of progress."""
        return sum(job.runs * max(job.iterations, 1) for job in self.jobs)


def make_plan(config: StudyConfig) -> Plan:
    """Expand a configuration into jobs.

    Raises:
        UserError: whatever is wrong with the configuration, found before any work.
    """
    fixed = config.parameters | {f"game.{k}": v for k, v in config.game_parameters.items()}
    check_axes(config.sweep, config.game, config.algorithms, fixed)
    check_parameters(config)
    groups = [group for algorithm in config.algorithms for group in groups_of(config, algorithm)]
    total = sum(job.runs for job in groups)
    keep = _keeps_policies(config, groups, total)
    thin = total * (config.iterations + 1) > MAX_TRAJECTORY_ROWS
    groups = [replace(job, keep_policies=keep, thin=thin) for job in groups]
    for job in groups:
        rehearse(job)
    warnings = _warnings(config, groups)
    return Plan([part for job in groups for part in _chunks(job)], warnings)


def check_parameters(config: StudyConfig) -> None:
    """Every parameter must be read by some algorithm, or by the mode."""
    shared = MODE_SETTINGS | EXTRAS
    known = shared.union(*(algorithm_settings(name) for name in config.algorithms))
    for key in config.parameters:
        if key in WHOLE_RUN:
            raise InvalidSetting(
                f"parameters: '{key}' belongs to the whole run; give it as a key of its own"
            )
        if key not in known:
            raise InvalidSetting(
                f"parameters: no algorithm of this run reads '{key}'"
                f"{suggest(key, known - WHOLE_RUN)}"
            )
    for algorithm, own in config.algorithm_parameters.items():
        if algorithm not in config.algorithms:
            raise InvalidSetting(
                f"algorithm_parameters: '{algorithm}' is not among the algorithms of this run"
                f"{suggest(algorithm, config.algorithms)}"
            )
        readable = algorithm_settings(algorithm) | EXTRAS
        for key in own:
            if key not in readable:
                raise InvalidSetting(
                    f"{algorithm}: unknown parameter '{key}'{suggest(key, readable)}"
                )


def groups_of(config: StudyConfig, algorithm: str) -> Iterator[Job]:
    """One unchunked job for each point of the axes that cannot share a batch."""
    axes = axes_of(algorithm, config.game, config.sweep)
    batched: dict[str, Any] = {
        name: axes.pop(name) for name in ("step_size", "temperature") if name in axes
    }
    for values in itertools.product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        yield _group(config, algorithm, point, batched)


def _group(
    config: StudyConfig, algorithm: str, point: Mapping[str, Any], batched: Mapping[str, Any]
) -> Job:
    game_parameters = dict(config.game_parameters)
    readable = algorithm_settings(algorithm) | MODE_SETTINGS | EXTRAS
    shared = {key: value for key, value in config.parameters.items() if key in readable}
    single = config.algorithm_parameters.get(algorithm, {})
    free = shared | single
    for axis, value in point.items():
        owner, _, key = axis.rpartition(".")
        target, default = (game_parameters, {}) if owner == "game" else (free, shared)
        # An axis of this algorithm alone overrides what is set for all of them.
        if key in target and not (owner and key in default and key not in single):
            raise InvalidSetting(f"{algorithm}: '{axis}' is both swept and set; give it once")
        target[key] = value
    mode = typed_mode({"name": config.mode} | {k: v for k, v in free.items() if k in MODE_SETTINGS})
    extras = typed_extras({k: v for k, v in free.items() if k in EXTRAS})
    own = {k: v for k, v in free.items() if k not in MODE_SETTINGS | EXTRAS}
    common = translated(algorithm, own)
    grid = itertools.product(
        _values(config, "step_size", algorithm, batched, common),
        _values(config, "temperature", algorithm, batched, common),
        range(config.seed, config.seed + config.seeds),
    )
    step_sizes, temperatures, seeds = (tuple(column) for column in zip(*grid, strict=True))
    for name in ("step_size", "temperature"):
        common.pop(name, None)
    per_run = _game_parameters(config, game_parameters, seeds)
    game = build_game(config.game, per_run[0])
    return Job(
        game=config.game,
        game_parameters=per_run,
        game_sha256=game_digest(game),
        algorithm=algorithm,
        parameters=_plain(common),
        mode=mode,
        extras=dict(sorted(extras.items())),
        step_sizes=step_sizes,
        temperatures=temperatures,
        seeds=seeds,
        reference=_reference(config, game),
        initial=_initial(config, game),
        iterations=config.iterations,
        axes=dict(point),
    )


def _values(
    config: StudyConfig,
    name: str,
    algorithm: str,
    batched: Mapping[str, Any],
    own: Mapping[str, Any],
) -> tuple[float, ...]:
    """The values of a batched axis: swept, the algorithm's own setting, or the common one."""
    if name in batched and name in own:
        raise InvalidSetting(
            f"{algorithm}: {name} is swept, and set as well under its own or its paper's name; "
            "give it once"
        )
    values = batched.get(name) or (own.get(name, getattr(config, name)),)
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise InvalidSetting(f"{algorithm}: {name} must be a number, got {values!r}") from None
    return numbers


def _game_parameters(
    config: StudyConfig, parameters: dict[str, Any], seeds: tuple[int, ...]
) -> tuple[dict[str, Any], ...]:
    """One game for all runs, or, for random families without a set seed, one for each seed."""
    random_family = "seed" in game_settings(config.game) and "seed" not in parameters
    if not random_family or (config.seeds == 1 and config.seed == 0):
        return (parameters,)
    return tuple(parameters | {"seed": seed} for seed in seeds)


def _reference(config: StudyConfig, game: Game) -> tuple[float, ...] | None:
    if isinstance(config.reference, tuple):
        return tuple(check_policy(config.reference, game.size, name="reference").tolist())
    if config.reference == "uniform":
        return None
    if config.reference == "skewed" or uniform_is_equilibrium(game):
        return skewed_policy(game.size)
    return None


def _initial(config: StudyConfig, game: Game) -> tuple[float, ...] | str | None:
    if isinstance(config.initial, tuple):
        return tuple(check_policy(config.initial, game.size, name="initial").tolist())
    return "random" if config.initial == "random" else None


def skewed_policy(size: int) -> tuple[float, ...]:
    """Probabilities that fall linearly over the actions: (3, 2, 1)/6 for three."""
    weights = np.arange(size, 0, -1, dtype=np.float64)
    return tuple((weights / weights.sum()).tolist())


def uniform_is_equilibrium(game: Game) -> bool:
    """Whether nothing would move from a uniform start, though the game has something to play."""
    if game.contexts > 1 or np.ptp(game.preferences) < 1e-12:
        return False
    uniform = np.full(game.size, 1 / game.size)
    if game.players > 2 and game.utilities is not None:
        oracle = PlackettLuce(game.utilities, game.annotator_weights, game.players)
        return float(np.ptp(oracle.win_rates(uniform[:, None]))) < 1e-9
    return float(duality_gap(game.preferences, uniform)) < 1e-9


def _keeps_policies(config: StudyConfig, groups: list[Job], total: int) -> bool:
    if config.keep_policies != "auto":
        return config.keep_policies
    size = max(build_game(job.game, job.game_parameters[0]).size for job in groups)
    return total * (config.iterations + 1) * size <= MAX_POLICY_ENTRIES


def _warnings(config: StudyConfig, groups: list[Job]) -> list[str]:
    from simulators.study.advice import stability_warnings

    warnings = []
    if config.reference == "auto" and isinstance(groups[0].reference, tuple):
        shown = ", ".join(f"{p:.3g}" for p in groups[0].reference[:4])
        more = ", ..." if len(groups[0].reference) > 4 else ""
        warnings.append(
            "the uniform policy is an equilibrium of this game already; the runs start from the "
            f"skewed reference ({shown}{more}) instead (set --reference to choose another)"
        )
    for job in groups:
        warnings += [line for line in stability_warnings(job) if line not in warnings]
    if (
        config.seeds > 1
        and config.mode in ("exact", "gradient")
        and config.initial != "random"
        and all(len(job.game_parameters) == 1 for job in groups)
        and not Mode(**groups[0].mode).samples
    ):
        warnings.append(
            f"mode {config.mode} on a fixed game has no randomness: all {config.seeds} seeds give "
            "the same run (--initial random draws a start for each)"
        )
    return warnings


def rehearse(job: Job) -> None:
    """One iteration of one run, so that what cannot run is refused before anything is written.

    A missing minimiser is not refused here: it becomes a row of the summary.

    Raises:
        UserError: one line that starts with the algorithm's name.
    """
    first = job.only(0)
    settings = first.settings()
    try:
        make_algorithm(settings, np.array(job.step_sizes), np.array(job.temperatures))
        simulate_batch(first.games(), replace(settings, iterations=min(1, settings.iterations)))
    except NoMinimiser:
        return
    except UserError as error:
        raise type(error)(_named(job.algorithm, str(error))) from None


def _named(algorithm: str, message: str) -> str:
    """A refusal that starts with the algorithm's name, as it was given."""
    if message.startswith(algorithm):
        return message
    head, colon, rest = message.partition(": ")
    entry = find_entry(algorithm)
    return f"{algorithm}: {rest if colon and head in (entry.name, entry.kind.slug) else message}"


def _chunks(job: Job) -> Iterator[Job]:
    size = max(1, min(MAX_RUNS, MAX_RUN_ITERATIONS // max(job.iterations, 1)))
    for start in range(0, job.runs, size):
        part = slice(start, start + size)
        several = len(job.game_parameters) > 1
        yield replace(
            job,
            game_parameters=job.game_parameters[part] if several else job.game_parameters,
            step_sizes=job.step_sizes[part],
            temperatures=job.temperatures[part],
            seeds=job.seeds[part],
        )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-ready parameter values, in a fixed order."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in sorted(values.items())
    }
