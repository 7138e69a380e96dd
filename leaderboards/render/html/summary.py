"""The line under the title: what was compared."""

from leaderboards.board import Board
from leaderboards.render.html.texts import counted
from leaderboards.render.words import method_of


def summary(board: Board) -> tuple[str, ...]:
    """Policies, benchmarks, judges, seeds, pools, runs: those that there are."""
    entries = [(s.kind, entry) for s in board.sections for entry in s.entries]
    algorithms = {entry.name for kind, entry in entries if kind == "simulator"}
    models = {entry.name for kind, entry in entries if kind != "simulator"}
    methods = models | {entry.algorithm for kind, entry in entries if kind != "simulator"}
    pooled = {method_of(name) for pool in board.pools for name in pool.names}
    models |= pooled - methods
    columns = [(s.kind, column) for s in board.sections for column in s.columns]
    games = {column.benchmark for kind, column in columns if kind == "simulator"}
    benchmarks = {column.benchmark for kind, column in columns if kind != "simulator"}
    judges = {column.judge for _, column in columns} | {pool.judge for pool in board.pools}
    seeds = {seed for kind, entry in entries if kind == "models" for seed in entry.seeds}
    parts = [
        (len(models), "policy", "policies"),
        (len(benchmarks), "benchmark", ""),
        (len(judges - {""}), "judge", ""),
        (len(seeds), "training seed", ""),
        (len(board.pools), "pool", ""),
        (len(algorithms), "algorithm in games", "algorithms in games"),
        (len(games), "game family", "game families"),
        (len(board.runs), "source", ""),
    ]
    return tuple(counted(count, one, many) for count, one, many in parts if count)
