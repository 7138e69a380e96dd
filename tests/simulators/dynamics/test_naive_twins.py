"""Every batched path against a plain loop over one run, one game, one context at a time.

The twins are written from the papers' formulas on log-policies (``x = log pi``), not from the
engine: EGPO and ONPO in two steps, DPO by its pair loss, SPPO's practical form by root finding.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq, root
from scipy.special import expit, lambertw, logsumexp

from simulators.dynamics.settings import Settings
from simulators.dynamics.setup import Extras
from simulators.dynamics.simulation import simulate_batch
from simulators.games import Game, make_game

Array = NDArray[np.float64]

T = 6
DATA = np.array([0.2, 0.5, 0.2, 0.1])
REWARDS = np.array([0.3, 0.9, 0.1, 0.5])
EXTERNALS = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
START = np.array([0.15, 0.35, 0.3, 0.2])
REFERENCE = np.array([0.4, 0.3, 0.2, 0.1])


def norm(x: Array) -> Array:
    return x - logsumexp(x)


def rates(P: Array, x: Array) -> Array:
    return P @ np.exp(x)


def bradley_terry(P: Array, mu: Array) -> Array:
    """argmax sum_ij mu_i mu_j P_ij log sigma(f_i - f_j), by plain Newton on all pairs."""
    size, f = len(P), np.zeros(len(P))
    for _ in range(100):
        slope, curvature = np.zeros(size), np.zeros((size, size))
        for i in range(size):
            for j in range(size):
                p = expit(f[i] - f[j])
                weight = 2 * mu[i] * mu[j]
                slope[i] += weight * (P[i, j] - p)
                curvature[i, i] += weight * p * (1 - p)
                curvature[i, j] -= weight * p * (1 - p)
        step = np.linalg.lstsq(curvature, slope, rcond=1e-14)[0]
        f = f + step
        if np.abs(step).max() < 1e-14:
            break
    return f - f.mean()


def practical_sppo(x: Array, gain: Array) -> Array:
    def log_policy(log_nu: float) -> Array:
        return np.asarray(x + gain - lambertw(np.exp(gain + log_nu) / 2).real)

    log_nu = brentq(lambda s: np.exp(log_policy(s)).sum() - 1, -60, 10, xtol=1e-15, rtol=1e-15)
    return log_policy(log_nu)


def proximal(P: Array, x: Array, tau: float) -> Array:
    """The equilibrium regularised towards x, by a general root finder."""
    found = root(lambda y: norm(y) - norm(x + rates(P, norm(y)) / tau), x, tol=1e-15)
    return norm(found.x)


def twin(name: str, P: Array, start: Array, ref: Array, a: float, tau: float, **p: Any) -> Array:
    """(T + 1, K) policies of a single-player method."""
    x, r, w = np.log(start), np.log(ref), a * tau
    history, magnet, average, leader = [x], r, x, x
    for t in range(T):
        base = (1 - w) * x + w * r
        match name:
            case "mwu" | "sppo" | "dno":
                new = x + a * rates(P, x)
            case "inpo":
                new = base + a * rates(P, x)
            case "decaying":
                a_t = min(1 / tau, 2 / (tau * (t + 2)))
                new = (1 - a_t * tau) * x + a_t * tau * r + a_t * rates(P, x)
            case "mmd":
                new = (x + w * r + a * rates(P, x)) / (1 + w)
            case "nash-md":
                new = norm(base) + a * rates(P, norm(base))
            case "egpo":
                half = norm(base + a * rates(P, x))
                new = base + a * rates(P, half)
            case "onpo":
                # The paper's two sequences: the leader moves, the player looks one step ahead.
                leader = leader + a * rates(P, x)
                new = leader + a * rates(P, x)
            case "nash-ema":
                new = base + a * rates(P, average)
                average = norm(p["decay"] * average + (1 - p["decay"]) * norm(new))
            case "mnpo":
                lags = [history[max(t - j, 0)] for j in range(len(p["weights"]))]
                lam = np.array(p["weights"]) / sum(p["weights"]) * (1 - w)
                opponents = [np.exp(x)]
                shares = [1.0]
                if p.get("average"):
                    opponents, shares = [np.exp(y) for y in [*lags, r]], [*lam, w]
                mu = sum(s * o for s, o in zip(shares, opponents, strict=True))
                new = sum(s * y for s, y in zip(lam, lags, strict=True)) + w * r + a * (P @ mu)
            case "ipo":
                new = r + P @ ref / tau
            case "ipo-online":
                new = r + rates(P, x) / tau
            case "dpo":
                new = r + bradley_terry(P, ref) / tau
            case "dpo-online":
                new = r + bradley_terry(P, np.exp(x)) / tau
            case "dpo-iterative":
                new = x + bradley_terry(P, np.exp(x)) / tau
            case "spin":
                new = (1 - 1 / p["beta"]) * x + np.log(DATA) / p["beta"]
            case "sppo-practical":
                new = practical_sppo(x, a * (rates(P, x) - 0.5))
            case "mpo":
                new = (x + w * magnet + a * rates(P, x)) / (1 + w)
            case "comal-inner":
                new = (1 - w) * x + w * magnet + a * rates(P, x)
            case "comal":
                new = proximal(P, x, tau)
            case "eo-mnpo":
                mixed = p["shares"] @ EXTERNALS
                gain = {"reward": REWARDS, "externals": P @ mixed, "current": rates(P, x)}
                base = (1 - p["w"]) * (p["shares"] @ np.log(EXTERNALS)) + p["w"] * r
                new = base + a * gain[p["advantage"]]
        x = norm(np.asarray(new))
        history.append(x)
        if "inner" in p and (t + 1) % p["inner"] == 0:
            magnet = x
    return np.exp(history)


# engine name, its parameters, twin name, the twin's parameters
METHODS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    **{
        name: (name, {}, name, {})
        for name in "mwu sppo dno inpo mmd nash-md egpo onpo sppo-practical ipo ipo-online "
        "dpo dpo-online dpo-iterative comal".split()
    },
    "inpo-decaying": ("inpo", {"schedule": "decaying"}, "decaying", {}),
    "nash-ema": ("nash-ema", {"decay": 0.7}, "nash-ema", {"decay": 0.7}),
    "mnpo": ("mnpo", {}, "mnpo", {"weights": (1, 1)}),
    "mnpo-4": ("mnpo", {"num_players": 4}, "mnpo", {"weights": (1, 1, 1)}),
    "mnpo-uneven": (
        "mnpo",
        {"history_weights": (0.5, 0, 0.3)},
        "mnpo",
        {"weights": (0.5, 0, 0.3)},
    ),
    "mnpo-average": (
        "mnpo",
        {"history_weights": (2.0, 1.0), "advantage": "average"},
        "mnpo",
        {"weights": (2, 1), "average": True},
    ),
    "spin": ("spin", {"beta": 1.6}, "spin", {"beta": 1.6}),
    "mpo": ("mpo", {"inner": 2}, "mpo", {"inner": 2}),
    "comal-inner": ("comal", {"inner": 3}, "comal-inner", {"inner": 3}),
    **{
        f"eo-mnpo-{advantage}": (
            "eo-mnpo",
            {"external_weights": (3.0, 1.0), "reference_weight": 0.2, "advantage": advantage},
            "eo-mnpo",
            {"shares": np.array([0.75, 0.25]), "w": 0.2, "advantage": advantage},
        )
        for advantage in ("reward", "externals", "current")
    },
}
EXTRAS = Extras(externals=list(EXTERNALS), rewards=REWARDS, demonstrations=DATA)


def temperature_for(method: str) -> float:
    """DPO's beta scales scores of several nats; a small one would end on a vertex at once."""
    return 3.0 if method.startswith("dpo") else 0.2


def run(
    method: str, games: Game | list[Game], steps: Array, temperatures: Array
) -> tuple[Array, int]:
    """(T + 1, K, B) policies of a batch, and its contexts."""
    name, parameters, _, _ = METHODS[method]
    batch = simulate_batch(
        games,
        Settings(
            name,
            step_size=steps,
            temperature=temperatures,
            iterations=T,
            reference=REFERENCE,
            initial=START,
            parameters=tuple(parameters.items()),
            extras=EXTRAS,
        ),
        keep_policies=True,
    )
    assert batch.recorder.trajectory is not None
    return batch.recorder.trajectory[:, 0], batch.batch.contexts


def expected(method: str, P: Array, a: float, tau: float) -> Array:
    _, _, name, parameters = METHODS[method]
    return twin(name, P, START, REFERENCE, a, tau, **parameters)


@pytest.mark.parametrize("method", METHODS)
def test_batch_over_games_steps_and_temperatures(method: str) -> None:
    tau = temperature_for(method)
    games = [make_game("random-skew", actions=4, seed=seed) for seed in range(3)]
    steps, temperatures = np.array([0.3, 0.7, 1.1]), tau * np.array([1.0, 1.5, 0.8])
    found, _ = run(method, games, steps, temperatures)
    for b, game in enumerate(games):
        want = expected(method, game.preferences, steps[b], temperatures[b])
        assert np.abs(found[:, :, b] - want).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_batch_on_one_game(method: str) -> None:
    game, tau = make_game("random-skew", actions=4, recipe="sin"), temperature_for(method)
    steps, temperatures = np.array([0.2, 0.9]), np.array([tau, tau])
    found, _ = run(method, game, steps, temperatures)
    for b, step in enumerate(steps):
        want = expected(method, game.preferences, step, tau)
        assert np.abs(found[:, :, b] - want).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_contexts_are_separate_games(method: str) -> None:
    game, tau = make_game("contextual", contexts=3, actions=4, seed=2), temperature_for(method)
    steps, temperatures = np.array([0.4, 0.8]), np.array([tau, 1.3 * tau])
    found, contexts = run(method, game, steps, temperatures)
    assert contexts == 3
    for b, step in enumerate(steps):
        for c, P in enumerate(game.preferences):
            want = expected(method, P, step, temperatures[b])
            assert np.abs(found[:, :, 3 * b + c] - want).max() < 1e-12
