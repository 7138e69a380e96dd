"""From a benchmark's name to the benchmark."""

from pathlib import Path

from evaluation.benchmark import Benchmark
from evaluation.data.find import find_files
from evaluation.suite.settings import EvaluationSettings
from mnpo.errors import InvalidSetting


def open_judged(name: str, settings: EvaluationSettings) -> Benchmark:
    """A benchmark whose answers a judge reads, whole, its files found and checked.

    Args:
        name: canonical, neither lm-eval nor cross-play.
        settings: of the evaluation.

    Raises:
        UserError: files are missing (the message says how to get them) or cannot be used.
    """
    if name == "mini":
        from evaluation.mini.benchmark import open_benchmark as open_mini

        return open_mini(repeats=settings.repeats)
    files = find_files(name, None if settings.data_dir is None else Path(settings.data_dir))
    match name:
        case "alpaca-eval":
            from evaluation.alpaca_eval.benchmark import open_benchmark as open_alpaca_eval

            return open_alpaca_eval(
                files,
                annotator=settings.alpaca_eval.annotator,
                orders=settings.alpaca_eval.orders,
            )
        case "arena-hard-v0.1" | "arena-hard-v2.0":
            from evaluation.arena_hard.benchmark import open_benchmark as open_arena_hard

            return open_arena_hard(files, version=name.removeprefix("arena-hard-"))
        case "mt-bench":
            from evaluation.mt_bench.benchmark import open_benchmark as open_mt_bench

            return open_mt_bench(
                files,
                mode=settings.mt_bench.mode,
                references=settings.mt_bench.references,
                repeats=settings.repeats,
            )
    raise InvalidSetting(f"benchmark '{name}' is not judged")
