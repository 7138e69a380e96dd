"""A small board with something of everything, for tests of renderers."""

import numpy as np

from evaluation.statistics import Interval
from leaderboards.board import (
    Board,
    Column,
    Curve,
    Entry,
    Figure,
    LeftOut,
    Plot,
    Pool,
    Rating,
    Run,
    Section,
    Source,
    Table,
)
from leaderboards.options import BoardOptions

HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://x.invalid";"a|b")'
EVAL, TRAIN, SIMULATION = "eval", "train", "simulate"


def sample_board() -> Board:
    """Two sections, a pool of four with a pair that never met, plots, tables, left-out items."""
    return Board(
        title="Leaderboard",
        sections=(_models(), _simulator()),
        pools=(_pool(),),
        plots=_plots(),
        tables=(_ledger(), _paper()),
        runs=_runs(),
        left_out=(
            LeftOut("runs/half", "its manifest says 'running': finish it with the same command"),
            LeftOut(f"row 7 of {HOSTILE}", "no figure: judge|answered nothing"),
        ),
        options=BoardOptions().describe(),
        command="mnpo-bench leaderboard runs/train runs/eval runs/simulate --output board",
        notes=("Intervals are 95 % intervals.",),
    )


def _models() -> Section:
    columns = (
        Column(
            key="alpaca-eval-2/length_controlled_win_rate",
            title="AlpacaEval 2 LC",
            benchmark="alpaca-eval-2",
            metric="length_controlled_win_rate",
            judge="rule:nearest-50-words",
            unit="%",
            conditions={"judge": "ab" * 32, "prompts": "cd" * 32},
            explanation="Win rate against the reference at equal length.",
        ),
        Column(
            key="mini-v1/score",
            title="Mini",
            benchmark="mini-v1",
            metric="score",
            judge="rule:nearest-50-words",
            unit="points",
            explanation="Mean score of answers, 1 to 10.",
        ),
        Column(
            key="mini-v1/length",
            title="Mini length",
            benchmark="mini-v1",
            metric="length",
            unit="tokens",
            better="neither",
            headline=False,
            explanation="Mean length of answers.",
        ),
    )
    lc, score, length = (column.key for column in columns)
    rows = [Source(EVAL, "results.csv", row) for row in (1, 2, 3)]

    def entry(
        name: str,
        algorithm: str,
        label: str,
        figures: dict[str, Figure],
        seeds: tuple[int, ...] = (),
    ) -> Entry:
        origin = TRAIN if algorithm in ("mnpo", "inpo") else ""
        return Entry(name, algorithm, label, origin, 3 if origin else None, seeds, figures)

    return Section(
        title="Language models",
        kind="models",
        columns=columns,
        entries=(
            entry(
                "mnpo",
                "mnpo",
                "TD-MNPO",
                {
                    lc: Figure(
                        Interval(57.123456789012345, 54.1, 60.2, 805, 805),
                        "seeds and prompts",
                        3,
                        0.81,
                        (1, 2),
                        "a",
                        sources=tuple(rows),
                    ),
                    score: Figure(
                        Interval(1 / 3, 0.1 + 0.2, 0.4, 80, 80), rank=(1, 3), letters="a"
                    ),
                    length: Figure(Interval(211.5, None, None, 80, 80), "none"),
                },
                (0, 1, 2),
            ),
            entry(
                "inpo",
                "inpo",
                "INPO",
                {
                    lc: Figure(
                        Interval(56.2, 54.1, 58.3, 805, 805),
                        "prompts",
                        1,
                        None,
                        (1, 2),
                        "a",
                        ("one seed only: the interval counts prompts, not training",),
                        (rows[1],),
                    ),
                    score: Figure(Interval(0.31, 0.2, 0.42, 80, 80), rank=(1, 3), letters="a"),
                },
                (0,),
            ),
            entry(
                HOSTILE,
                HOSTILE,
                HOSTILE,
                {
                    lc: Figure(Interval(12.5, 10.25, 14.75, 805, 805), rank=(3, 4), letters="b"),
                },
            ),
            entry(
                FORMULA,
                "a_b|c*d[e](f)`g`\\h#i~j^k&l$m%n{o}",
                "evil \x1b[31mred\u202e\nsecond line",
                {
                    lc: Figure(Interval(12.0, 9.75, 14.25, 805, 805), rank=(3, 4), letters="b"),
                    score: Figure(
                        Interval(float("nan"), None, None, 0, 0), "none", flags=("nothing judged",)
                    ),
                },
            ),
        ),
        sorted_by=lc,
        notes=("Seeds are averaged, never picked.",),
    )


def _simulator() -> Section:
    column = Column(
        key="cyclic/gap",
        title="Gap",
        benchmark="cyclic",
        metric="gap",
        unit="win probability",
        better="lower",
        explanation="Duality gap of the last iterate.",
    )
    entries = tuple(
        Entry(
            name,
            name,
            label,
            SIMULATION,
            100,
            tuple(range(10)),
            {
                column.key: Figure(
                    Interval(value, low, high, 10, 10),
                    "seeds",
                    10,
                    spread,
                    rank,
                    letter,
                    sources=(Source(SIMULATION, "summary.csv", row),),
                )
            },
        )
        for row, (name, label, value, low, high, spread, rank, letter) in enumerate(
            [
                ("mnpo", "TD-MNPO", 1.25e-7, 1.0e-7, 1.5e-7, 3e-8, (1, 1), "a"),
                ("inpo", "INPO", 0.0012, 0.0009, 0.0015, 0.0003, (2, 2), "b"),
                ("dpo", "DPO", 0.25, 0.25, 0.25, 0.0, (3, 3), "c"),
            ],
            start=1,
        )
    )
    return Section("Simulator", "simulator", (column,), entries, column.key)


def _pool() -> Pool:
    nan = float("nan")
    names = ("mnpo", "inpo", HOSTILE, FORMULA)
    wins = np.array(
        [
            [0.5, 0.55, 0.8, 0.7],
            [0.45, 0.5, 0.75, nan],
            [0.2, 0.25, 0.5, 0.4],
            [0.3, nan, 0.6, 0.5],
        ]
    )
    low, high = wins - 0.04, wins + 0.04
    np.fill_diagonal(low, nan)
    np.fill_diagonal(high, nan)
    low[0, 1] = high[0, 1] = low[1, 0] = high[1, 0] = nan
    ranks, letters = ((1, 2), (1, 2), (4, 4), (3, 3)), ("a", "a", "c", "b")
    strengths = tuple(
        Interval(value, value - 30.5, value + 30.5, 80, 80)
        for value in (1103.2, 1080.7, 900.1, 960.0)
    )
    masses = tuple(
        Interval(value, 0.0, high, 80, 80)
        for value, high in [(1.0, 1.0), (0.0, 0.4), (0.0, 0.0), (0.0, 0.0)]
    )
    return Pool(
        key="cross-play",
        title="Cross-play, judge mixture(brevity-6, <b>), 40 prompts",
        judge="mixture(brevity-6, <b>)",
        names=names,
        wins=wins,
        low=low,
        high=high,
        ratings=(
            Rating(
                "bradley-terry",
                "Bradley–Terry",
                "One strength a policy; differences predict win rates.",
                "Elo points",
                "higher",
                strengths,
                ranks,
                letters,
            ),
            Rating(
                "maximal-lottery",
                "Maximal lottery",
                "Share of each policy in the mixture that no policy beats.",
                "probability",
                "higher",
                masses,
            ),
        ),
        cyclic_share=Interval(0.031, 0.0, 0.12, 80, 80),
        nash_is_unique=True,
        notes=("inpo and another policy never met.",),
        sources=(Source(TRAIN, "crossplay-wins.parquet"),),
    )


def _plots() -> tuple[Plot, ...]:
    x = np.array([1.0, 2.0, 5.0, 10.0])
    gaps = (
        Curve("mnpo", x, np.array([0.5, 0.1, 0.01, 1e-7]), np.array([0.4, 0.05, 0.005, 5e-8])),
        Curve("inpo", x, np.array([0.5, 0.2, np.nan, 0.0012])),
        Curve(HOSTILE, x, np.array([0.5, 0.4, 0.3, 0.25])),
    )
    first = Curve(gaps[0].label, x, gaps[0].y, gaps[0].low, gaps[0].y * 1.5)
    losses = (Curve("mnpo", x, np.array([0.69, 0.66, 0.61, 0.58])),)
    return (
        Plot(
            "Gap over iterations",
            "iteration",
            "duality gap (win probability)",
            (first, *gaps[1:]),
            log_y=True,
            caption="Mean over seeds and its interval.",
            sources=(Source(SIMULATION, "trajectories.parquet"),),
        ),
        Plot("Training", "step", "loss (nats)", losses),
    )


def _ledger() -> Table:
    return Table(
        "Cost",
        ("run", "stage", "seconds", "judge questions"),
        (("train", "train", 12.345678901234567, 960), ("eval", HOSTILE, None, 0)),
        ("Seconds are wall clock.",),
        (Source(TRAIN, "ledger.csv"),),
    )


def _paper() -> Table:
    return Table(
        "Paper beside us",
        ("benchmark", "method", "paper", "ours", "difference"),
        (("alpaca-eval-2", "MNPO", 57.27, 57.123456789012345, -0.146543210987655),),
    )


def _runs() -> tuple[Run, ...]:
    return (
        Run(
            EVAL,
            "evaluation",
            "runs/eval",
            "done",
            {"results.csv": "0123456789abcdef" * 4, "manifest.json": "fedcba9876543210" * 4},
            {"command": "mnpo-bench evaluate", "mnpo": "0.4.0", "cost": None, "seconds": 12.5},
        ),
        Run(TRAIN, "training", f"runs/{HOSTILE}", "done", {"ledger.csv": "00ff" * 16}),
        Run(SIMULATION, "simulation", "runs/simulate", "done", {"summary.csv": "a1" * 32}),
    )
