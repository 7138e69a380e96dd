"""The score of v0.1: Bradley-Terry on weighted battles, as the win rate against the baseline.

The official code (`compute_mle_elo`) is an unregularised logistic regression, each tie half a win
for both, shifted so that the baseline has 1000, and turned into a win rate by
1 / (1 + 10^((1000 - rating) / 400)). The likelihood has one maximum; it is found here by Newton's
method, or in closed form where all battles are against the baseline: then a model's predicted win
rate is its weighted win rate.
"""

import numpy as np

from evaluation.arena_hard.table import POINTS, Array, Counts, Table
from mnpo.errors import UserError

#: Rating points at which the odds are ten to one, and the baseline's rating.
SCALE, ANCHOR = 400.0, 1000.0
#: The likelihood is flat beyond this log-odds: a model that never lost has no finite rating.
_FLAT = 40.0


def weighted_win_rates(battles: Array | Counts) -> Array:
    """Share of weighted battles won, ties half: (M, 3) counts to (M,); NaN without a battle."""
    total = battles.sum(axis=-1)
    won: Array = battles @ POINTS
    rates: Array = np.divide(won, total, out=np.full(total.shape, np.nan), where=total > 0)
    return rates


def predicted_win_rates(table: Table) -> Array:
    """The official score, (M,), as a share.

    Raises:
        UserError: a model has no battle that connects it with the baseline.
    """
    wins = wins_matrix(table)
    if not table.between:
        return weighted_win_rates(table.battles.sum(axis=1))
    _require_connected(table, wins)
    return _against_baseline(fit(wins))


def rating(win_rate: Array) -> Array:
    """Ratings with the baseline at `ANCHOR`, from win rates against it (shares)."""
    clipped = np.clip(win_rate, 1e-12, 1 - 1e-12)
    result: Array = ANCHOR + SCALE * np.log10(clipped / (1 - clipped))
    return result


def win_rate_of(ratings: Array) -> Array:
    """The inverse of `rating`."""
    result: Array = 1.0 / (1.0 + 10.0 ** ((ANCHOR - ratings) / SCALE))
    return result


def wins_matrix(table: Table) -> Array:
    """(M + 1, M + 1) weighted wins of the row over the column, ties half to both.

    The baseline is the last.
    """
    return _wins_drawn(
        table, table.battles.sum(axis=1), np.ones(len(table.between), dtype=np.int64)
    )


def fit(wins: Array) -> Array:
    """Log-odds of each against the last, (n,), at the maximum of the likelihood.

    Damped Newton steps on sum over pairs of wins[i, j] log sigmoid(theta_i - theta_j), from zero.
    Who never lost or never won goes to the end of the scale, where the likelihood is flat.

    Args:
        wins: (n, n) wins of the row over the column; all connected.
    """
    games = wins + wins.T
    theta = np.zeros(len(wins))
    value = _log_likelihood(wins, theta)
    for _ in range(200):
        p = 1.0 / (1.0 + np.exp(-(theta[:, None] - theta[None, :])))
        gradient = (wins - games * p).sum(axis=1)
        information = games * p * (1.0 - p)
        hessian = np.diag(information.sum(axis=1)) - information
        step = np.zeros_like(theta)
        step[:-1] = np.linalg.lstsq(hessian[:-1, :-1], gradient[:-1], rcond=None)[0]
        step *= min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-300))
        size = 1.0
        while size > 1e-6:
            moved = np.clip(theta + size * step, -_FLAT, _FLAT)
            found = _log_likelihood(wins, moved)
            if found >= value:
                break
            size /= 2
        else:
            break
        done = float(np.abs(moved - theta).max()) < 1e-11
        theta, value = moved, found
        if done:
            break
    return theta


def bootstrap_ratings(table: Table, rounds: int, rng: np.random.Generator) -> Array:
    """The official bootstrap, (rounds, M): ratings after drawing all battles with replacement.

    The battles of all models and questions are one urn, a strong verdict's three rows among them;
    only how often each kind of row was drawn matters.
    """
    cells = table.battles.sum(axis=1)
    kinds = np.concatenate([cells.ravel(), np.ones(len(table.between), dtype=np.int64)])
    total = int(kinds.sum())
    ratings = np.empty((rounds, len(table.models)))
    for i in range(rounds):
        drawn = rng.multinomial(total, kinds / total)
        battles = drawn[: cells.size].reshape(cells.shape)
        if not table.between:
            ratings[i] = rating(weighted_win_rates(battles))
        else:
            wins = _wins_drawn(table, battles, drawn[cells.size :])
            ratings[i] = rating(_against_baseline(fit(wins)))
    return ratings


def bootstrap_questions(table: Table, rounds: int, rng: np.random.Generator) -> Array:
    """(rounds, M) predicted win rates after drawing whole questions with replacement."""
    column = {question: i for i, question in enumerate(table.questions)}
    where = np.array([column[own.question] for own in table.between], dtype=np.intp)
    found = np.empty((rounds, len(table.models)))
    for i in range(rounds):
        times = np.bincount(
            rng.integers(len(table.questions), size=len(table.questions)),
            minlength=len(table.questions),
        )
        battles = np.einsum("q,mqk->mk", times, table.battles)
        if not table.between:
            found[i] = weighted_win_rates(battles)
        else:
            found[i] = _against_baseline(fit(_wins_drawn(table, battles, times[where])))
    return found


def _wins_drawn(table: Table, battles: Counts, between: Counts) -> Array:
    """Wins where battles against the baseline, (M, 3), and each other battle came so often."""
    size = len(table.models) + 1
    wins = np.zeros((size, size))
    lost, tied, won = battles.T
    wins[:-1, -1], wins[-1, :-1] = won + tied / 2, lost + tied / 2
    line = {model: i for i, model in enumerate(table.models)}
    for own, times in zip(table.between, between, strict=True):
        a, b = line[own.first], line[own.second]
        wins[a, b] += times * own.points
        wins[b, a] += times * (1.0 - own.points)
    return wins


def _against_baseline(theta: Array) -> Array:
    result: Array = 1.0 / (1.0 + np.exp(-(theta[:-1] - theta[-1])))
    return result


def _log_likelihood(wins: Array, theta: Array) -> float:
    return -float((wins * np.logaddexp(0.0, theta[None, :] - theta[:, None])).sum())


def _require_connected(table: Table, wins: Array) -> None:
    met = (wins + wins.T) > 0
    reached = np.zeros(len(wins), dtype=bool)
    reached[-1] = True
    while True:
        wider = reached | met[reached].any(axis=0)
        if (wider == reached).all():
            break
        reached = wider
    if not reached.all():
        lost = [model for model, own in zip(table.models, reached[:-1], strict=True) if not own]
        raise UserError(
            f"{', '.join(lost)}: no battles connect it with {table.baseline}, so it has no rating "
            "relative to it"
        )
