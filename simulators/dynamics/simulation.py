"""Run an algorithm on a game, or a batch of runs at once."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.algorithms import Algorithm, get_algorithm
from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS, translate
from mnpo.algorithms.registry import find_entry
from mnpo.errors import InvalidGame, InvalidSetting, NoMinimiser, suggest
from simulators.dynamics import loop
from simulators.dynamics.advice import StabilityWarning, has_stability_bound, stability_warning
from simulators.dynamics.exact import ExactMinimiser
from simulators.dynamics.modes import Mode
from simulators.dynamics.policies import Policies
from simulators.dynamics.problem import Ledger
from simulators.dynamics.recorder import Recorder
from simulators.dynamics.result import BatchResult, SimulationResult
from simulators.dynamics.settings import Settings
from simulators.dynamics.setup import Batch, Extras, build
from simulators.games import Game, check_preferences

Array = NDArray[np.float64]
Progress = Callable[[int], None]


def simulate(
    game: Game | ArrayLike,
    algorithm: str,
    *,
    step_size: float = 0.5,
    temperature: float = 0.1,
    reference: ArrayLike | None = None,
    initial: ArrayLike | str | None = None,
    iterations: int = 60,
    mode: str = "exact",
    seed: int = 0,
    **params: Any,
) -> SimulationResult:
    """Run one algorithm on one game and keep every policy.

    Args:
        game: a `Game`, or a (K, K) preference matrix.
        algorithm: registry name, e.g. "inpo"; see `mnpo.algorithms.list_algorithms`.
        step_size: alpha, step on the log-odds per unit of win probability.
        temperature: tau, KL temperature of the method and of the regularised game it is judged in.
        reference: (K,) with full support, (C, K) on contextual games; None is uniform.
        initial: the start, (K,) or (players, K); None starts at the reference, "random" draws
            one from the simplex with the seed.
        iterations: T >= 0.
        mode: "exact", "gradient", "sampled" or "neural".
        seed: of sampled preferences and network initialisation.
        **params: the algorithm's further parameters (in the common convention or its paper's
            own), the mode's settings (`simulators.dynamics.modes.Mode`), and ``externals``,
            ``rewards``, ``demonstrations``.

    Warns:
        StabilityWarning: a step size beyond the method's local stability bound, which is quoted.

    Raises:
        UserError: one line that says what is wrong, where, and what to do.
    """
    for name, value in (("step_size", step_size), ("temperature", temperature)):
        if np.ndim(value):
            raise InvalidSetting(
                f"{name} must be one number, got {value!r}; simulate_batch runs several at once"
            )
    algorithm_parameters, mode_settings, extras = split_parameters(algorithm, params)
    settings = Settings(
        algorithm=algorithm,
        step_size=step_size,
        temperature=temperature,
        seeds=(seed,),
        iterations=iterations,
        mode=Mode(name=mode, **mode_settings),  # type: ignore[arg-type]
        reference=reference,
        initial=initial,
        parameters=tuple(algorithm_parameters.items()),
        extras=Extras(**extras),
    )
    result = simulate_batch(as_game(game), settings, keep_policies=True)
    _warn_if_unstable(result)
    return result.single()


def simulate_batch(
    games: Game | Sequence[Game],
    settings: Settings,
    *,
    keep_policies: bool = False,
    progress: Progress | None = None,
) -> BatchResult:
    """Run R settings of one algorithm at once, in columns.

    Args:
        games: one game for all runs, or R games of equal size.
        settings: the batch; scalars broadcast to R runs.
        keep_policies: keep all policies; otherwise memory is O(B K + T B).
        progress: called with each finished iteration.

    Raises:
        NoMinimiser: when an update has no finite minimiser; a single run that loses it after its
            first iteration ends there instead, see `BatchResult.stopped`.
        UserError: one line that says what is wrong, where, and what to do.
    """
    _require_count(settings.iterations, "iterations")
    for seed in settings.seeds:
        _require_count(seed, "seed")
    listed = [games] if isinstance(games, Game) else list(games)
    runs = _broadcast_runs(listed, settings)
    # What a paper's own parameters set (eta, beta, ...) holds for the game it is judged in, too.
    own = translate(find_entry(settings.algorithm).name, dict(settings.parameters))
    step_size = _per_run(own.get("step_size", settings.step_size), runs, "step_size")
    temperature = _per_run(own.get("temperature", settings.temperature), runs, "temperature")
    seeds = list(settings.seeds) * (runs if len(settings.seeds) == 1 else 1)
    contexts = listed[0].contexts
    algorithm = make_algorithm(settings, step_size, temperature, contexts)
    batch = build(
        listed,
        algorithm,
        settings.mode,
        temperature,
        settings.reference,
        settings.initial,
        settings.extras,
        seeds,
    )
    recorder = Recorder(
        batch.truth,
        batch.problem.log_reference,
        batch.log_equilibrium,
        batch.temperature,
        settings.iterations,
        batch.problem.columns,
        keep_policies=keep_policies,
        own_oracles=batch.own,
    )
    minimiser = _minimiser(batch, settings, listed[0], seeds)

    def observe(t: int, policies: list[Policies]) -> None:
        recorder.observe(t, policies)
        if progress:
            progress(t)

    stopped: str | None = None
    try:
        loop.run(
            algorithm,
            batch.problem,
            minimiser,
            iterations=settings.iterations,
            observe=observe,
            players=batch.players,
        )
    except NoMinimiser as error:
        # A run that loses its minimiser on the way is a finding; one that never had any, or that
        # shares its batch with others, is refused.
        if error.iteration == 0 or runs > 1:
            raise
        stopped = f"stopped after iteration {error.iteration}: {error}"
        recorder.truncate(error.iteration + 1)
    return BatchResult(
        games=listed,
        settings=settings,
        algorithm=algorithm,
        step_size=step_size,
        temperature=temperature,
        seeds=seeds,
        batch=batch,
        recorder=recorder,
        ledger=_per_run_ledger(minimiser.ledger, batch),
        stopped=stopped,
    )


def make_algorithm(
    settings: Settings, step_size: Array, temperature: Array, contexts: int = 1
) -> Algorithm:
    """The algorithm value of a batch: equal hyper-parameters as floats, others per column."""
    parameters = dict(settings.parameters)
    own = translate(find_entry(settings.algorithm).name, parameters)
    for name, value in (("step_size", step_size), ("temperature", temperature)):
        if name not in own:
            parameters[name] = _compact(np.repeat(value, contexts))
    return get_algorithm(settings.algorithm, **parameters)


def split_parameters(
    algorithm: str, params: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Sort free parameters into the algorithm's, the mode's and the extras.

    Raises:
        InvalidSetting: for a name that none of the three knows, with the nearest one.
    """
    entry = find_entry(algorithm)
    own = {field.name for field in fields(entry.kind)} | set(PAPER_PARAMETERS.get(entry.name, ()))
    mode = {field.name for field in fields(Mode)} - {"name"}
    extra = {field.name for field in fields(Extras)}
    sorted_out: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {})
    for key, value in params.items():
        for known, target in zip((own, mode, extra), sorted_out, strict=True):
            if key in known:
                target[key] = value
                break
        else:
            raise InvalidSetting(
                f"{algorithm}: unknown parameter '{key}'{suggest(key, own | mode | extra)}"
            )
    return sorted_out


def as_game(game: Game | ArrayLike) -> Game:
    """A `Game` as it is; a matrix, checked, as an unnamed game.

    Raises:
        InvalidGame: a text, or a matrix that is no game.
    """
    if isinstance(game, Game):
        return game
    if isinstance(game, str):
        raise InvalidGame(
            f"game must be a Game or a preference matrix, got the text {game!r}; build it with "
            f"make_game({game!r})"
        )
    matrix = check_preferences(game, where="game")
    return Game("matrix", matrix, tuple(f"a{i}" for i in range(matrix.shape[-1])))


def _warn_if_unstable(result: BatchResult) -> None:
    game, equilibrium = result.game(0), result.batch.log_equilibrium
    if equilibrium is None or not has_stability_bound(result.algorithm, game):
        return
    line = stability_warning(
        result.algorithm,
        game,
        np.exp(equilibrium[:, 0]),
        float(result.step_size[0]),
        float(result.temperature[0]),
    )
    if line:
        warnings.warn(line, StabilityWarning, stacklevel=3)


def _minimiser(batch: Batch, settings: Settings, game: Game, seeds: list[int]) -> loop.Minimiser:
    mode = settings.mode
    if mode.name == "exact":
        return ExactMinimiser(batch.problem)
    sampler = None
    if mode.samples:
        from simulators.dynamics.pairs import PairSampler

        annotators = None
        if mode.annotator_sampling == "iteration":
            if game.annotators is None or game.annotator_weights is None:
                raise InvalidSetting(
                    f"annotator_sampling=iteration needs annotators; game '{game.name}' has none"
                )
            annotators = game.annotators, game.annotator_weights
        column_seeds = [
            seed if batch.contexts == 1 else seed * 1_000_003 + context
            for seed in seeds
            for context in range(batch.contexts)
        ]
        sampler = PairSampler(column_seeds, mode.queries_per_update, mode.label_noise, annotators)
    if mode.name == "sampled":
        from simulators.dynamics.sampled import SampledMinimiser

        assert sampler is not None
        return SampledMinimiser(batch.problem, sampler, mode.ridge)
    from simulators.dynamics.descent import gradient_minimiser

    return gradient_minimiser(batch, mode, game, seeds, sampler)


def _broadcast_runs(games: list[Game], settings: Settings) -> int:
    sizes = {
        len(games),
        np.size(settings.step_size),
        np.size(settings.temperature),
        len(settings.seeds),
    } - {1}
    if len(sizes) > 1:
        raise InvalidSetting(
            f"games, step_size, temperature and seeds must have one length, got {sorted(sizes)}"
        )
    if len({game.size for game in games}) > 1 or len({game.contexts for game in games}) > 1:
        raise InvalidSetting("the games of a batch must have equally many actions and contexts")
    return sizes.pop() if sizes else 1


def _require_count(value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidSetting(f"{name} must be a whole number of at least 0, got {value!r}")
    if value < 0:
        raise InvalidSetting(f"{name} must be at least 0, got {value}")


def _per_run(value: Any, runs: int, name: str) -> Array:
    if value is None or isinstance(value, bool | str):
        raise InvalidSetting(f"{name} must be a number, got {value!r}")
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidSetting(f"{name} must be a number, got {value!r}") from None
    bad = ~np.isfinite(array) | (array < 0)
    if bad.any():
        raise InvalidSetting(
            f"{name} must be a finite number of at least 0, got {array[bad].flat[0]:g}"
        )
    return np.broadcast_to(array.reshape(-1), (runs,)).copy()


def _compact(values: Array) -> float | Array:
    return float(values[0]) if (values == values[0]).all() else values


def _per_run_ledger(ledger: Ledger, batch: Batch) -> Ledger:
    """Queries are asked once a context; a run's are the sum over its contexts."""
    return Ledger(
        oracle_rounds=ledger.oracle_rounds,
        preference_queries=ledger.preference_queries * batch.contexts,
        gradient_steps=ledger.gradient_steps,
    )
