"""What a run's settings foretell, from the local theory."""

import numpy as np

from mnpo.algorithms import Algorithm
from simulators.dynamics.simulation import make_algorithm
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game
from simulators.metrics.local_rate import (
    local_multiplier,
    rotation_frequencies,
    stability_bound,
)
from simulators.study.job import Job

#: Above this the spectrum of the linearised game is not worth its time for a warning.
_MAX_ACTIONS = 300


def stability_warnings(job: Job) -> list[str]:
    """One line if some step size of the job is beyond its algorithm's local stability bound."""
    game = job.games()[0]
    algorithm = make_algorithm(
        job.settings(), np.array(job.step_sizes[:1]), np.array(job.temperatures[:1])
    )
    lines = []
    for tau in sorted(set(job.temperatures)):
        steps = [s for s, t in zip(job.step_sizes, job.temperatures, strict=True) if t == tau]
        line = stability_warning(algorithm, game, job.reference, max(steps), tau)
        lines += [line] if line else []
    return lines[:1]


def stability_warning(
    algorithm: Algorithm,
    game: Game,
    reference: tuple[float, ...] | None,
    step_size: float,
    temperature: float,
) -> str | None:
    """A line that quotes the bound, if a regularised method's step size is beyond it.

    INPO is locally stable iff alpha < 2 tau / (omega^2 + tau^2), omega the fastest rotation of
    the game at its regularised equilibrium; other methods have bounds of their own.
    """
    from dataclasses import replace

    if (
        algorithm.target != "regularized"
        or "step_size" not in algorithm.reads
        or temperature <= 0
        or game.contexts > 1
        or game.players > 2
        or game.size > _MAX_ACTIONS
    ):
        return None
    value = replace(algorithm, step_size=step_size, temperature=temperature)
    equilibrium = regularized_equilibrium(game.preferences, temperature, reference)
    multiplier = local_multiplier(value, game.preferences, equilibrium)
    if multiplier is None or multiplier < 1:
        return None
    bound = stability_bound(value, game.preferences, equilibrium)
    omega = rotation_frequencies(game.preferences, equilibrium).max(initial=0.0)
    limit = "no step size is stable" if bound is None else f"the bound is {bound:.4g}"
    formula = " = 2 tau / (omega^2 + tau^2)" if algorithm.name == "inpo" else ""
    return (
        f"{algorithm.name}: step_size {step_size:g} is beyond the local stability bound on game "
        f"'{game.name}' at temperature {temperature:g}: {limit}{formula}, omega = {omega:.4g}; "
        "expect it to cycle"
    )
