"""The length-controlled model: a logistic regression of preferences, and its fast refit.

P(model preferred) = sigmoid(a tanh(s) + b d + c), with s the difference of lengths (baseline minus
model, in standard deviations over the model's rows), d the instruction's difficulty and c there for
the model's rows only. A second set of rows, of the baseline against rewrites of itself that are
longer or shorter, enters a and b with a weight of 0.1 a row and holds them near what length alone
does (Dubois et al. 2024, "Length-Controlled AlpacaEval", section 3, and the package's
``length_controlled_v1``). The length-controlled win rate is the mean prediction with s = 0.

The fit minimises ``|w|_1 + C sum_i k_i loss_i(w)``, as the package's solver does, to machine
precision where the package stops at a tolerance of 1e-4; on the leaderboard's data the two win
rates differ by a few thousandths of a point. Newton's steps, with the penalty's kink handled in
each quadratic subproblem; many sets of row weights are fitted at once.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.rows import read_text
from evaluation.statistics import Array
from mnpo.errors import UserError

#: Weight of each regularising row: 0.2, shared by two rewrites of every baseline answer.
REGULARISER = 0.1
#: A fit has ended where no weight could still gain more than this in the penalised loss' slope,
#: as a share of the rows' total weight.
TOLERANCE = 1e-10
#: Nor is one computed after a step below this: Newton's error after it is about its square.
SETTLED = 1e-4
STEPS = 60
#: Fits that are computed at once; their rows then stay in a processor's cache.
AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Gamed:
    """The regulariser: ``df_gamed.csv``.

    Attributes:
        tanh: (g,) of the standardised difference of lengths.
        difficulty: (g,) of the instruction.
        preference: (g,) in [0, 1].
        by_instruction: (N,) difficulty by instruction, as the package reads it from this file:
            of the first row of each, in the order in which they come.
    """

    tanh: Array
    difficulty: Array
    preference: Array
    by_instruction: Array


def read_gamed(path: Path) -> Gamed:
    """Read ``df_gamed.csv``.

    Raises:
        UserError: it is another file.
    """
    names = ("index", "preference", "std_delta_len", "instruction_difficulty")
    columns: list[list[float]] = [[] for _ in names]
    for number, row in enumerate(csv.DictReader(read_text(path).splitlines()), 1):
        try:
            for column, name in zip(columns, names, strict=True):
                column.append(float(row[name]))
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"{path}, row {number}: is not df_gamed.csv, which has the numbers "
                f"{', '.join(names)}"
            ) from None
    index, preference, length, difficulty = (np.array(own) for own in columns)
    first = {int(own): number for number, own in reversed(list(enumerate(index)))}
    if sorted(first.values()) != list(range(len(first))) or any(k != v for k, v in first.items()):
        raise UserError(f"{path}: must begin with one row for each instruction, in their order")
    return Gamed(np.tanh(length), difficulty, preference, difficulty[: len(first)])


@dataclass(frozen=True, eq=False)
class Rows:
    """A model's own rows.

    Attributes:
        preference: (n,) P(model preferred), in [0, 1].
        delta: (n,) characters of the baseline's answer minus the model's.
        difficulty: (n,) of the instruction.
    """

    preference: Array
    delta: Array
    difficulty: Array

    def spread(self, times: Array) -> Array:
        """(B,) standard deviation (ddof 1) of ``delta`` with rows repeated ``times`` (B, n)."""
        total = times.sum(axis=1)
        centred = self.delta - self.delta.mean()
        shift = times @ centred / np.maximum(total, 1)
        squares = times @ centred**2 - total * shift**2
        return np.asarray(np.sqrt(np.maximum(squares, 0) / np.maximum(total - 1, 1)))


def fit(
    rows: Rows, gamed: Gamed, C: float, times: Array | None = None, spread: Array | None = None
) -> Array:
    """The weights, for one or many multiplicities of the model's rows.

    Args:
        rows: (n,) of the model.
        gamed: the regulariser, never resampled: it belongs to the metric.
        C: inverse strength of the penalty.
        times: (B, n) how often each row is there; None fits the rows as they are.
        spread: (B,) what lengths are divided by; None takes that of these rows.

    Returns:
        (B, 3) weights of tanh(s), difficulty, and the model's constant; (1, 3) for None. NaN where
        lengths do not vary, fewer than two rows are left, or the fit does not end.
    """
    once = np.ones((1, len(rows.delta)))
    times = once if times is None else times
    spread = rows.spread(times) if spread is None else spread
    start = np.nan_to_num(_fit(rows, gamed, C, once, rows.spread(once), np.zeros((1, 3))))
    parts = [
        _fit(rows, gamed, C, k, s, start)
        for k, s in zip(_pieces(times), _pieces(spread), strict=True)
    ]
    return np.concatenate(parts)


def controlled(weights: Array, rows: Rows, times: Array | None = None) -> Array:
    """(B,) length-controlled win rates in percent for (B, 3) weights: s = 0, C(w) as fitted."""
    if times is None:
        times = np.ones((len(weights), len(rows.difficulty)))
    found = [
        (k * _sigmoid(w[:, 1:2] * rows.difficulty + w[:, 2:3])).sum(axis=1) / k.sum(axis=1)
        for k, w in zip(_pieces(times), _pieces(weights), strict=True)
    ]
    return np.asarray(100 * np.concatenate(found))


def _pieces(values: Array) -> Iterator[Array]:
    for begin in range(0, len(values), AT_ONCE):
        yield values[begin : begin + AT_ONCE]


def _fit(rows: Rows, gamed: Gamed, C: float, times: Array, spread: Array, begin: Array) -> Array:
    usable = np.flatnonzero((times.sum(axis=1) >= 2) & (spread > 0))
    found = np.full((len(times), 3), np.nan)
    if not len(usable):
        return found
    problem = _Problem(rows, gamed, C, times[usable], spread[usable])
    w = np.repeat(begin, len(usable), axis=0)
    active = np.arange(len(usable))
    for _ in range(STEPS):
        part = problem.part(active)
        gradient, hessian = part.derivatives(w[active])
        residual = np.abs(_slope(w[active], gradient, 1 / C)).max(axis=1)
        open_ = residual > TOLERANCE * part.size
        if not open_.any():
            break
        active = active[open_]
        step = _newton(w[active], gradient[open_], hessian[open_], 1 / C)
        w[active] = problem.part(active).shortened(w[active], step)
        active = active[np.abs(step).max(axis=1) > SETTLED]
        if not len(active):
            break
    else:
        w[active] = np.nan  # a fit that did not end is no fit
    found[usable] = w
    return found


@dataclass(frozen=True, eq=False)
class _Problem:
    """Loss, slope and curvature of B fits to the same rows with other multiplicities."""

    rows: Rows
    gamed: Gamed
    C: float
    times: Array
    spread: Array

    def part(self, which: NDArray[np.intp]) -> "_Problem":
        if len(which) == len(self.times):
            return self
        return _Problem(self.rows, self.gamed, self.C, self.times[which], self.spread[which])

    @property
    def size(self) -> float:
        return len(self.rows.delta) + REGULARISER * len(self.gamed.tanh)

    def derivatives(self, w: Array) -> tuple[Array, Array]:
        """(B, 3) slope and (B, 3, 3) curvature of the loss, without the penalty."""
        rows, gamed = self.rows, self.gamed
        t = np.tanh(rows.delta / self.spread[:, None])
        d = np.stack([rows.difficulty, np.ones_like(rows.difficulty), rows.difficulty**2], axis=1)
        p = _sigmoid(w[:, :1] * t + w[:, 1:2] * rows.difficulty + w[:, 2:])
        r = self.times * (p - rows.preference)
        s = self.times * p * (1 - p)
        st = s * t
        slope = np.stack([(r * t).sum(axis=1), *(r @ d[:, :2]).T], axis=1)
        own, cross = s @ d, st @ d[:, :2]
        # The regulariser's rows depend on the first two weights only.
        g = np.stack([gamed.tanh, gamed.difficulty], axis=1)
        products = np.stack([g[:, 0] ** 2, g[:, 0] * g[:, 1], g[:, 1] ** 2], axis=1)
        shared = (w == w[0]).all()  # the first step of many fits starts from one place
        v = w[:1] if shared else w
        p = _sigmoid(v[:, :2] @ g.T)
        slope[:, :2] += REGULARISER * ((p - gamed.preference) @ g)
        bend = REGULARISER * ((p * (1 - p)) @ products)
        H = np.empty((len(w), 3, 3))
        H[:, 0, 0] = (st * t).sum(axis=1) + bend[:, 0]
        H[:, 0, 1] = H[:, 1, 0] = cross[:, 0] + bend[:, 1]
        H[:, 0, 2] = H[:, 2, 0] = cross[:, 1]
        H[:, 1, 1] = own[:, 2] + bend[:, 2]
        H[:, 1, 2] = H[:, 2, 1] = own[:, 0]
        H[:, 2, 2] = own[:, 1]
        return slope, H

    def loss(self, w: Array) -> Array:
        """(B,) with the penalty, divided by C."""
        rows, gamed = self.rows, self.gamed
        z = w[:, :1] * np.tanh(rows.delta / self.spread[:, None])
        z = z + w[:, 1:2] * rows.difficulty + w[:, 2:]
        own = (self.times * (np.logaddexp(0, z) - rows.preference * z)).sum(axis=1)
        z = w[:, :2] @ np.stack([gamed.tanh, gamed.difficulty])
        kept = (np.logaddexp(0, z) - gamed.preference * z).sum(axis=1)
        return np.asarray(own + REGULARISER * kept + np.abs(w).sum(axis=1) / self.C)

    def shortened(self, w: Array, step: Array) -> Array:
        """``w + step``, the step halved where a long one does not lower the loss."""
        moved = w + step
        far = np.flatnonzero(np.abs(step).max(axis=1) > 1)  # Newton is safe near the solution
        if not len(far):
            return moved
        part = self.part(far)
        before = part.loss(w[far])
        length = np.ones(len(far))
        for _ in range(30):
            worse = part.loss(w[far] + length[:, None] * step[far]) > before + 1e-12 * part.size
            if not worse.any():
                break
            length[worse] /= 2
        moved[far] = w[far] + length[:, None] * step[far]
        return moved


def _slope(w: Array, gradient: Array, penalty: float) -> Array:
    """(B, 3) the smallest subgradient: zero at the solution."""
    at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - penalty, 0)
    return np.where(w == 0, at_zero, gradient + penalty * np.sign(w))


def _newton(w: Array, gradient: Array, hessian: Array, penalty: float) -> Array:
    """(B, 3) minimiser x of ``g x + x H x / 2 + penalty |w + x|_1``.

    One linear solution where no weight is zero or changes its sign, coordinate descent elsewhere.
    """
    ridge = 1e-12 * np.trace(hessian, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    H = hessian + ridge
    step = np.linalg.solve(H, -(gradient + penalty * np.sign(w))[:, :, None])[:, :, 0]
    kinked = np.flatnonzero(((w == 0) | (np.sign(w + step) != np.sign(w))).any(axis=1))
    if len(kinked):
        step[kinked] = _descend(w[kinked], gradient[kinked], H[kinked], penalty)
    return np.asarray(step)


def _descend(w: Array, gradient: Array, H: Array, penalty: float) -> Array:
    x = np.zeros_like(w)
    for _ in range(500):
        largest = 0.0
        for j in range(3):
            slope = gradient[:, j] + np.einsum("bk,bk->b", H[:, j], x) - H[:, j, j] * x[:, j]
            aim = H[:, j, j] * w[:, j] - slope  # minimiser of the weight itself, before the kink
            new = np.sign(aim) * np.maximum(np.abs(aim) - penalty, 0) / H[:, j, j] - w[:, j]
            largest = max(largest, float(np.abs(new - x[:, j]).max()))
            x[:, j] = new
        if largest < 1e-13:
            break
    return x


def _sigmoid(z: Array) -> Array:
    with np.errstate(over="ignore"):  # exp(-z) = inf gives the right 0
        return np.asarray(1.0 / (1.0 + np.exp(-z)))
