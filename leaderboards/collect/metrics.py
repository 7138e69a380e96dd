"""What the suite's figures are: titles, units, directions, and one line for who does not know them.

A benchmark or metric without an entry still goes on a board, under its own name, unranked.
"""

from dataclasses import dataclass

from leaderboards.board import Direction
from leaderboards.matching import is_of

PERCENT, PROBABILITY = "%", "probability"
#: Benchmark without its version -> title, in the order in which columns stand.
BENCHMARKS = {
    "alpaca-eval": "AlpacaEval",
    "arena-hard": "Arena-Hard",
    "mt-bench": "MT-Bench",
    "mt-bench-pairwise": "MT-Bench pairwise",
    "lm-eval": "lm-eval",
    "llmbar": "LLMBar",
    "cross-play": "Cross-play",
    "mini": "mini",
    "training": "Training",
}


@dataclass(frozen=True)
class Metric:
    """One kind of figure.

    Attributes:
        title: short, over a column.
        better: direction.
        explanation: one line.
        unit: "" takes the benchmark's: percent, or a probability in a training run's cross-play.
        bounds: smallest and largest value, in that unit; None where it has none.
    """

    title: str
    better: Direction
    explanation: str
    unit: str | None = None
    bounds: tuple[float, float] | None = None


_SHARE = (0.0, 100.0)
#: By name, or by its beginning where the name ends in a slash; in the order of columns.
METRICS = {
    "length_controlled_win_rate": Metric(
        "LC win rate",
        "higher",
        "Win rate against the baseline at equal length of the answers (AlpacaEval 2).",
        bounds=_SHARE,
    ),
    "score": Metric(
        "score",
        "higher",
        "The benchmark's own score.",
    ),
    "style_controlled_score": Metric(
        "style-controlled score",
        "higher",
        "Score at equal length and formatting of the answers (Arena-Hard).",
        bounds=_SHARE,
    ),
    "win_rate": Metric(
        "win rate",
        "higher",
        "Share of questions on which the judge prefers the model's answer; ties count half.",
        bounds=_SHARE,
    ),
    "accuracy": Metric("accuracy", "higher", "Share of correct answers.", bounds=_SHARE),
    "win_rate/against/": Metric(
        "win rate vs {}",
        "higher",
        "Win rate against {}, the judge's preferences averaged over prompts.",
        bounds=_SHARE,
    ),
    "win_rate/pool": Metric(
        "win rate vs pool",
        "higher",
        "Mean win rate against every other policy of the pool.",
        bounds=_SHARE,
    ),
    "win_rate/mixture": Metric(
        "win rate vs mixture",
        "higher",
        "Win rate against the same mixture of opponents for all; itself counts 1/2.",
        bounds=_SHARE,
    ),
    "win_rate/worst_opponent": Metric(
        "worst opponent",
        "higher",
        "Win rate against the policy of the pool that beats it most often.",
        bounds=_SHARE,
    ),
    "win_rate/worst_annotator": Metric(
        "worst annotator",
        "higher",
        "Win rate against the start under the annotator who likes it least.",
        bounds=_SHARE,
    ),
    "win_rate/mean_annotator": Metric(
        "mean annotator",
        "higher",
        "Win rate against the start, averaged over the annotators in equal shares.",
        bounds=_SHARE,
    ),
    "exploitability": Metric(
        "exploitability",
        "lower",
        "Highest win rate of any policy of the pool against it, minus 1/2.",
        bounds=(0.0, 50.0),
    ),
    "win_rate/nash_average": Metric(
        "win rate vs Nash",
        "higher",
        "Win rate against the pool's Nash average.",
        bounds=_SHARE,
    ),
    "nash_average": Metric(
        "Nash share",
        "neither",
        "Its probability in the pool's Nash average.",
        bounds=_SHARE,
    ),
    "cyclic_share": Metric(
        "cyclic share",
        "neither",
        "Share of the squared advantages that no ratings explain (Hodge).",
        unit="",
        bounds=(0.0, 1.0),
    ),
    "unweighted_win_rate": Metric(
        "unweighted win rate",
        "higher",
        "Win rate with clear verdicts counted once.",
        bounds=_SHARE,
    ),
    "discrete_win_rate": Metric(
        "discrete win rate",
        "higher",
        "Win rate with preferences rounded to wins, losses and draws.",
        bounds=_SHARE,
    ),
    "loss_rate": Metric("loss rate", "lower", "Share of matches lost.", bounds=_SHARE),
    "orders_agree": Metric(
        "orders agree",
        "higher",
        "Share of pairs on which the judge says the same in both orders.",
        bounds=_SHARE,
    ),
    "kappa": Metric("kappa", "higher", "Cohen's kappa with the labels.", unit=""),
    "response_tokens": Metric(
        "tokens", "neither", "Mean length of a response.", unit="tokens", bounds=(0.0, float("inf"))
    ),
    "unfinished": Metric(
        "unfinished",
        "lower",
        "Share of responses that were cut at the length limit.",
        unit="",
        bounds=(0.0, 1.0),
    ),
    "distinct": Metric(
        "distinct", "neither", "Share of different responses among all.", unit="", bounds=(0.0, 1.0)
    ),
    "loss": Metric(
        "loss",
        "neither",
        "Training loss of the last gradient step; methods have their own.",
        unit="",
    ),
    "margin": Metric(
        "margin", "neither", "Log-ratio margin of the preferred response, last step.", unit="nats"
    ),
    "log_ratio": Metric(
        "log-ratio", "neither", "Mean log-ratio to the anchor, last step.", unit="nats"
    ),
    "kl": Metric("KL", "neither", "Estimated KL divergence to the anchor, last step.", unit="nats"),
}
#: Whose score is not in percent.
_POINTS = {
    "mt-bench": Metric(
        "score",
        "higher",
        "Mean of the judge's grades, 1 to 10, over both turns of every question.",
        unit="points",
        bounds=(1.0, 10.0),
    )
}
_ARENA = "Win rate against the baseline, a clear verdict counted three times (Arena-Hard)."
_POOL = "Mean win rate against every other policy of the pool."


def metric_of(benchmark: str, metric: str, *, probability: bool = False) -> Metric:
    """What a metric of a benchmark is.

    Args:
        benchmark: with or without its version.
        metric: as in the tidy table; "official/..." and parts ("score/turn-1") are known by what
            they are parts of.
        probability: win rates are in [0, 1], as in a training run's cross-play, not in percent.
    """
    if metric.startswith("official/"):
        own = metric_of(benchmark, metric.removeprefix("official/"))
        said = f"{own.explanation} As the benchmark's own code computes it."
        return Metric(f"{own.title} (official)", own.better, said, own.unit, own.bounds)
    found = _find(family_of(benchmark), metric)
    if found is None:
        return Metric(metric.replace("_", " "), "neither", "", "")
    unit, bounds = found.unit, found.bounds
    if unit is None:
        unit = PROBABILITY if probability else PERCENT
        if probability and bounds is not None:
            bounds = (bounds[0] / 100, bounds[1] / 100)
    return Metric(found.title, found.better, found.explanation, unit, bounds)


def metric_place(metric: str) -> tuple[int, str]:
    """Where columns of a metric stand among those of a benchmark."""
    plain = metric.removeprefix("official/")
    names = list(METRICS)
    beginning, slash, _ = plain.partition("/")
    key = next(
        (name for name in (plain, _prefix(plain), beginning + slash, beginning) if name in METRICS),
        None,
    )
    rank = len(names) if key is None else names.index(key)
    return (rank if plain == metric else rank + len(names) + 1, metric)


def family_of(benchmark: str) -> str:
    """A benchmark's name without its version, e.g. "arena-hard" of "arena-hard-v2.0"."""
    known = [name for name in BENCHMARKS if is_of(benchmark, name)]
    return max(known, key=len) if known else benchmark


def benchmark_title(benchmark: str) -> str:
    """For people, with the version: "Arena-Hard v0.1"."""
    family = family_of(benchmark)
    if family not in BENCHMARKS:
        return benchmark
    version = benchmark.removeprefix(family).lstrip("-/ ")
    return f"{BENCHMARKS[family]} {version}".strip()


def benchmark_place(benchmark: str) -> tuple[int, str]:
    """Where a benchmark's columns stand on a board."""
    names = list(BENCHMARKS)
    family = family_of(benchmark)
    return (names.index(family) if family in names else len(names), benchmark)


def _find(family: str, metric: str) -> Metric | None:
    beginning, slash, rest = metric.partition("/")
    if family == "mt-bench" and beginning == "score":
        own = _POINTS["mt-bench"]
    elif metric in METRICS:
        own = METRICS[metric]
        if family == "arena-hard" and metric == "score":
            own = Metric(own.title, own.better, _ARENA, bounds=_SHARE)
        if family == "cross-play" and metric == "win_rate":
            own = Metric("win rate vs pool", own.better, _POOL, bounds=_SHARE)
        return own
    elif (prefix := _prefix(metric)) in METRICS:
        own, other = METRICS[prefix], metric.removeprefix(prefix)
        named = own.explanation.format(other)
        return Metric(own.title.format(other), own.better, named, own.unit, own.bounds)
    elif beginning in METRICS:
        own = METRICS[beginning]
        if family == "arena-hard" and beginning == "score":
            own = Metric(own.title, own.better, _ARENA, bounds=_SHARE)
    else:
        return None
    if not slash:
        return own
    return Metric(f"{own.title}, {rest}", own.better, own.explanation, own.unit, own.bounds)


def _prefix(metric: str) -> str:
    """``win_rate/against/`` of ``win_rate/against/NAME``; else nothing that is known."""
    parts = metric.split("/", 2)
    return "/".join([*parts[:2], ""]) if len(parts) == 3 else ""
