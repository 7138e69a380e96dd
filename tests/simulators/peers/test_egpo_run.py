"""EGPO's own simulation code, run by others on ten random games: every duality gap of it.

The run holds P, the reference logits and the gaps at checkpoints of five algorithms. Here they are
one contextual game, a context for each of its ten games. How the authors' settings read in the
common convention: w = 4 lr / N, alpha = w / beta, gap with temperature beta. Their exact online
IPO descends by plain gradient steps, which under uniform pairs is INPO ("OMD").
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnpo.algorithms import Algorithm, Update, get_algorithm
from mnpo.algorithms.nash_md import NashMD
from mnpo.algorithms.sources import CURRENT, REFERENCE, Geometric
from simulators.dynamics import loop
from simulators.dynamics.exact import ExactMinimiser
from simulators.dynamics.oracles import ColumnMatrices
from simulators.dynamics.policies import Policies
from simulators.dynamics.problem import Problem
from simulators.dynamics.simulation import simulate
from simulators.games import Game
from simulators.metrics.gaps import duality_gap

Array = NDArray[np.float64]

pytestmark = pytest.mark.shared_data

ACTIONS = 10
#: The published numbers are float64 runs of other code; rounding grows over thousands of steps.
TOLERANCE = 1e-13


class Run:
    """The file, as one contextual game."""

    def __init__(self, folder: Path) -> None:
        (path,) = (folder / "data" / "games").glob("egpo_reference_run_*.json.gz")
        content = json.loads(gzip.decompress(path.read_bytes()))
        self.experiments = content["experiments"]
        self.P = np.array(content["P"])
        logits = np.array(content["ref_logits"])
        self.log_reference = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        self.game = Game("egpo", self.P, tuple(f"a{i}" for i in range(ACTIONS)))

    def experiment(self, algorithm: str, beta: float) -> dict[str, Any]:
        (found,) = (
            e for e in self.experiments if e["algorithm"] == algorithm and e["beta"] == beta
        )
        return found

    def compare(self, experiment: dict[str, Any], policies: Array, tolerance: float) -> None:
        """Gaps at every checkpoint within the (T + 1, 10, K) policies, and the last policies."""
        gaps = duality_gap(self.P, policies, experiment["beta"], np.exp(self.log_reference))
        for step, published in experiment["dual_gap_by_step"].items():
            if int(step) < len(policies):
                assert np.abs(np.asarray(gaps)[int(step)] - published).max() < tolerance, step
        if len(policies) == experiment["iters"] + 1:
            assert np.abs(policies[-1] - experiment["final_policy"]).max() < 1e-10

    def exact(self, algorithm: Algorithm, iterations: int) -> Array:
        """(T + 1, 10, K), the loop alone."""
        problem = Problem(
            oracles=(ColumnMatrices(self.P),),
            log_reference=self.log_reference.T.copy(),
            log_initial=self.log_reference.T.copy(),
            columns=len(self.P),
        )
        kept: list[Array] = []

        def keep(t: int, policies: list[Policies]) -> None:
            kept.append(policies[0].probabilities.T.copy())

        loop.run(algorithm, problem, ExactMinimiser(problem), iterations=iterations, observe=keep)
        return np.array(kept)


@pytest.fixture(scope="module")
def run(shared_data: Path) -> Run:
    return Run(shared_data)


def own_settings(experiment: dict[str, Any]) -> dict[str, float]:
    w = 4 * experiment["lr"] / ACTIONS
    return {"step_size": w / experiment["beta"], "temperature": experiment["beta"]}


@pytest.mark.parametrize("beta", [0.1, 0.01])
@pytest.mark.parametrize(("published", "name"), [("Online IPO 1 (OMD)", "inpo"), ("EGPO", "egpo")])
def test_mirror_descent_and_extragradient(run: Run, published: str, name: str, beta: float) -> None:
    experiment = run.experiment(published, beta)
    algorithm = get_algorithm(name, **own_settings(experiment))
    run.compare(experiment, run.exact(algorithm, experiment["iters"]), TOLERANCE)


def test_the_public_interface_gives_the_same(run: Run) -> None:
    experiment = run.experiment("EGPO", 0.1)
    result = simulate(
        run.game,
        "egpo",
        reference=np.exp(run.log_reference),
        iterations=200,
        **own_settings(experiment),
    )
    run.compare(experiment, result.policies, TOLERANCE)
    assert result.gap(0.1)[200] == pytest.approx(
        experiment["dual_gap_by_step"]["200"], abs=TOLERANCE
    )


@pytest.mark.parametrize(("beta", "iterations"), [(0.1, 500), (0.01, 500)])
def test_online_ipo_with_on_policy_pairs_is_one_plain_gradient_step(
    run: Run, beta: float, iterations: int
) -> None:
    """ "Online IPO 2": gradient mode, pairs weighted by the current policy."""
    experiment = run.experiment("Online IPO 2", beta)
    result = simulate(
        run.game,
        "ipo-online",
        temperature=beta,
        reference=np.exp(run.log_reference),
        iterations=iterations,
        mode="gradient",
        optimizer="sgd",
        gradient_steps=1,
        learning_rate=experiment["lr"],
        pair_weights="sampler",
    )
    run.compare(experiment, result.policies, 1e-11)


@dataclass(frozen=True, kw_only=True, eq=False)
class HalfMixture(NashMD):
    """The authors' Nash-MD: the mixture has weight 2 lr / N, the step w = 4 lr / N."""

    def updates(self, iteration: int) -> tuple[Update, ...]:
        (update,) = super().updates(iteration)
        half = self.step(iteration) * self.temperature / 2
        mixture = Geometric(((CURRENT, 1 - half), (REFERENCE, half)))
        return (Update(update.anchors, ((mixture, 1.0),), update.step_size),)


@pytest.mark.parametrize("beta", [0.1, 0.01])
def test_nash_md_up_to_the_authors_factor_of_two(run: Run, beta: float) -> None:
    experiment = run.experiment("Nash-MD", beta)
    make: Callable[..., Algorithm] = HalfMixture
    halved = run.exact(make(**own_settings(experiment)), experiment["iters"])
    run.compare(experiment, halved, 1e-12)
    # The method as published mixes with the step's own weight, and ends elsewhere.
    sound = run.exact(get_algorithm("nash-md", **own_settings(experiment)), 500)
    gaps = np.asarray(duality_gap(run.P, sound[500], beta, np.exp(run.log_reference)))
    difference = np.abs(gaps - experiment["dual_gap_by_step"]["500"])
    assert difference.max() > 5e-5


def test_their_effective_step(run: Run) -> None:
    """What the authors call the true learning rate, 2 lr / (beta N), is half of alpha."""
    for experiment in run.experiments:
        settings = own_settings(experiment)
        true_rate = 2 * experiment["lr"] / (experiment["beta"] * ACTIONS)
        assert settings["step_size"] == pytest.approx(2 * true_rate)
