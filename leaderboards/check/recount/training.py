"""A training run's cross-play, from the win rates of every prompt."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evaluation.pool.standings import Standing, pool_standings
from evaluation.pool.wins_file import WINS, PromptWins
from evaluation.rows import Row, read_rows
from evaluation.statistics import Interval
from evaluation.winmatrix import WinMatrix, mean_over_judges
from leaderboards.check.numbers import differences
from leaderboards.check.recount.found import NotHere, Recount
from leaderboards.check.recount.wins import read_file
from mnpo.errors import UserError

_AGAINST = "win_rate/against/"
_POOL = "(pool)"


def recount_training(run: Path, key: str) -> Iterator[Recount]:
    """The rows of ``results.csv`` that are of the cross-play.

    Raises:
        UserError: ``results.csv`` cannot be read.
    """
    what = f"{key}, cross-play"
    rows = [row for row in read_rows(run / "results.csv") if row.text("benchmark") == "cross-play"]
    if not rows:
        return
    try:
        anew = _Anew(read_file(run / WINS), rows)
    except NotHere as error:
        yield Recount(what, why_not=str(error))
        return
    except UserError as error:
        yield Recount(what, problems=(f"{what}: {error}",))
        return
    figures, problems, absent = 0, [], []
    for seat, row in anew.seated:
        found = anew.figure(seat, row)
        metric = row.text("metric")
        if found is None:
            absent.append(metric)
            continue
        figures += 1
        for line in differences(_said(row), found):
            who = "the pool" if seat is None else anew.names[seat]
            problems.append(
                f"{what}: {row.where.rpartition(', ')[2]}, {who}, {metric}: {line}, in "
                "results.csv and by the win rates of the prompts"
            )
    names = ", ".join(dict.fromkeys(absent))
    yield Recount(
        what, figures, tuple(problems), f"{names}: of the samples themselves" if absent else ""
    )


class _Anew:
    """Figures of the policies, which the table lists in the order of the win rates.

    Args:
        judges: win rates by judge.
        rows: of the cross-play.

    Raises:
        UserError: the table is of other policies.
    """

    def __init__(self, judges: Mapping[str, PromptWins], rows: Sequence[Row]) -> None:
        self._judges = {name: own.wins for name, own in judges.items()}
        self._judge = next(iter(self._judges), "")
        if self._judge not in {row.text("judge") for row in rows}:
            raise UserError(f"{WINS}: is of another judge than results.csv")
        self.names = self._judges[self._judge].names
        self.seated = list(_seated(rows))
        if len({seat for seat, _ in self.seated} - {None}) != len(self.names):
            raise UserError(f"{WINS}: has {len(self.names)} policies, other than results.csv")
        against = (row.text("metric") for row in rows)
        starts = [name.removeprefix(_AGAINST) for name in against if name.startswith(_AGAINST)]
        self._start = starts[0] if starts and starts[0] in self.names else self.names[0]
        whole = any(row.text("metric") == "exploitability" for row in rows)
        self._pool = pool_standings(self._judges[self._judge]) if whole else None
        population = [own for name, own in self._judges.items() if name != self._judge]
        self._population = population or list(self._judges.values())

    def figure(self, seat: int | None, row: Row) -> Interval | None:
        """The same figure, None where win rates do not tell it."""
        metric = row.text("metric")
        if seat is None:
            return self._pool.cyclic_share if self._pool else None
        name = self.names[seat]
        if metric == "win_rate/mean_annotator":
            return mean_over_judges(self._population).pair(name, self._start)
        if metric.startswith(_AGAINST) or metric == "win_rate/worst_annotator":
            wins: WinMatrix | None = self._judges.get(row.text("judge"))
            return None if wins is None else wins.pair(name, self._start)
        return _of_standing(self._pool.standings[seat], metric) if self._pool else None


def _of_standing(own: Standing, metric: str) -> Interval | None:
    return {
        "win_rate/pool": own.against_pool,
        "win_rate/worst_opponent": own.against_worst,
        "exploitability": own.exploitability,
        "nash_average": own.nash,
        "win_rate/nash_average": own.nash_win_rate,
    }.get(metric)


def _seated(rows: Sequence[Row]) -> Iterator[tuple[int | None, Row]]:
    """Each row with the number of its policy; None for figures of the pool."""
    seats: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row.text("algorithm") == _POOL:
            yield None, row
            continue
        who = tuple(row.text(name) for name in ("algorithm", "iteration", "seed"))
        yield seats.setdefault(who, len(seats)), row


def _said(row: Row) -> Interval:
    try:
        low, high = (float(row.text(end)) if row.text(end) else None for end in ("low", "high"))
        return Interval(float(row.text("value")), low, high, row.whole("n"), row.whole("clusters"))
    except ValueError as error:
        raise UserError(f"{row.where}: holds something that is no number ({error})") from None
