"""Warnings about a study's settings, before it runs."""

import numpy as np

from simulators.dynamics.advice import has_stability_bound, stability_warning
from simulators.dynamics.simulation import make_algorithm
from simulators.equilibria import regularized_equilibrium
from simulators.study.job import Job


def stability_warnings(job: Job) -> list[str]:
    """One line if some step size of the job is beyond its algorithm's local stability bound."""
    game = job.games()[0]
    algorithm = make_algorithm(
        job.settings(), np.array(job.step_sizes[:1]), np.array(job.temperatures[:1])
    )
    if not has_stability_bound(algorithm, game):
        return []
    for tau in sorted(set(job.temperatures) - {0.0}):
        steps = [s for s, t in zip(job.step_sizes, job.temperatures, strict=True) if t == tau]
        equilibrium = regularized_equilibrium(game.preferences, tau, job.reference)
        line = stability_warning(algorithm, game, equilibrium, max(steps), tau)
        if line:
            return [line]
    return []
