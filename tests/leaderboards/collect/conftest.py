"""Small run directories, made in a moment: the formats are the suite's own."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.compared import comparisons_of
from evaluation.pool.wins_file import WINS, wins_bytes
from evaluation.scores import ModelScore, Scores
from evaluation.statistics import Interval, compare_all, mean_interval
from evaluation.tidy import Origin, Result, results_csv
from evaluation.winmatrix import WinMatrix
from mnpo.runs.directory import FORMAT, dump_yaml
from mnpo.runs.files import digest

RECIPE = {
    "recipe": "toy",
    "model": {"name": "tiny"},
    "sampling": {"temperature": 1.0, "max_new_tokens": 8, "responses": 2, "batch_size": 4},
    "budget": {"iterations": 1},
    "methods": {"mnpo": {}, "inpo": {}},
    "seeds": [0],
}
START = "a" * 64


def sha(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class Runs:
    """Makes run directories below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(
        self,
        name: str,
        config: Mapping[str, Any],
        files: Mapping[str, str | bytes],
        status: str = "done",
        **manifest: Any,
    ) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True)
        outputs = {}
        for file, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
            outputs[file] = hashlib.sha256(content).hexdigest()
        (folder / "run.yaml").write_text(dump_yaml(config))
        whole = {
            "format": FORMAT,
            "config_sha256": digest(config),
            "status": status,
            "environment": {"mnpo_bench": "0.1.0", "arguments": ["evaluate", "a b"]},
            **({"outputs": outputs} if status == "done" else {}),
            **manifest,
        }
        (folder / "manifest.json").write_text(json.dumps(whole))
        return folder

    def training(
        self,
        name: str = "train",
        *,
        seeds: Sequence[int] = (0,),
        methods: Sequence[str] = ("mnpo", "inpo"),
        value: Callable[[str, int], float] = lambda method, seed: 0.6,
        start: float = 0.4,
        prompts: int = 12,
        wins: bool = False,
        mark: str = "",
        status: str = "done",
        oracle: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Path:
        config = RECIPE | {"methods": {own: {} for own in methods}, "seeds": list(seeds)} | changes
        run = Path(name).name
        judge, hashes = "toy-oracle", {"judge": sha("judge"), "prompts": sha("prompts")}
        if oracle is not None:
            hashes["judge"] = digest(oracle)
        rows, names = [], ["sft"]
        origin = Origin(run, "sft", 0, None)
        own = {**hashes, "policy": START}
        rows.append(Result(origin, "cross-play", "win_rate/pool", _around(start), judge, own))
        for method in methods:
            for seed in seeds:
                names.append(f"{method}-seed-{seed}")
                origin = Origin(run, method, 1, seed)
                own = {**hashes, "policy": policy(method, seed, mark)}
                mean = value(method, seed)
                for metric, found in (
                    ("win_rate/against/sft", _around(mean)),
                    ("win_rate/pool", _around(mean - 0.05)),
                    ("exploitability", _around(0.5 - mean / 2)),
                ):
                    rows.append(Result(origin, "cross-play", metric, found, judge, own))
                loss = Interval(1.0 + seed, None, None, 1, 1)
                rows.append(Result(origin, "training", "loss", loss, "", {"policy": own["policy"]}))
        pool = Origin("", "(pool)")
        rows.append(Result(pool, "cross-play", "cyclic_share", _around(0.1), judge, hashes))
        files: dict[str, str | bytes] = {
            "results.csv": results_csv(rows),
            "ledger.csv": ledger(methods, seeds),
            "training.csv": curves(methods, seeds),
            "summary.json": json.dumps({"failed": []}),
        }
        if wins:
            files[WINS] = wins_bytes(
                {judge: some_wins(names, prompts)}, [f"p{i}" for i in range(prompts)]
            )
        facts = {"start": START, "annotators": [], "data": {"hashes": {"f": sha("data")}}}
        told = {} if oracle is None else {"oracle": oracle}
        return self.write(name, config, files, status, **{**facts, **told, "failed": []})

    def evaluation(
        self,
        name: str = "eval",
        *,
        models: Mapping[str, tuple[Origin, str]],
        value: Callable[[str], float] = lambda model: 50.0,
        benchmark: str = "mini-v1",
        judge: str = "toy-judge",
        judge_hash: str = "judge",
        metric: str = "win_rate",
        prompts: int = 20,
        home: str = "/somewhere/train",
        noise: int = 0,
        status: str = "done",
        flags: Sequence[str] = (),
        failures: Sequence[str] = (),
        oracle: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Path:
        config = {
            "models": [
                {"name": model, "model": {"name": f"{home}/policies/{model}"}} for model in models
            ],
            "benchmarks": ["mini"],
            "answers": {"max_new_tokens": 32, "temperature": None, "batch_size": 16},
            "limit": None,
            "repeats": 1,
            **changes,
        }
        scores = make_scores(
            list(models), value, benchmark, judge, judge_hash, metric, prompts, noise, flags
        )
        if oracle is not None:
            hashes = {**scores.hashes, "judge": digest({"kind": "oracle", "oracle": oracle})}
            scores = replace(scores, hashes=hashes)
        run = Path(name).name
        origins = {
            model: Origin(run if origin.seed is None else origin.run, *_rest(origin))
            for model, (origin, _) in models.items()
        }
        marks = {model: {"policy": own} for model, (_, own) in models.items()}
        whole = {
            "run": run,
            "results": [scores.describe()],
            "failures": list(failures),
            "spend": [f"{benchmark}, judge {judge}: 3 requests"],
        }
        files = {
            "results.csv": results_csv(scores.results(run, origins, marks)),
            "results.json": json.dumps(whole),
        }
        told = {"failures": list(failures)} if failures else {}
        generated = {"mini": {"tokens_read": 5, "tokens_written": 7}}
        return self.write(name, config, files, status, generated=generated, **told)

    def simulation(
        self,
        name: str = "sim",
        *,
        algorithms: Sequence[str] = ("inpo", "mnpo"),
        steps: Sequence[float] = (0.5,),
        seeds: int = 3,
        iterations: int = 500,
    ) -> Path:
        from simulators.study.outputs import CONTRACT_COLUMNS, FURTHER_COLUMNS

        columns = (*CONTRACT_COLUMNS, *FURTHER_COLUMNS)
        lines, runs, series = [",".join(columns)], [], []
        for algorithm in algorithms:
            for step in steps:
                for seed in range(seeds):
                    run = f"{algorithm}-{step}-{seed}"
                    gap = 0.1 * step + 0.01 * seed + 0.001 * len(algorithm)
                    own = {
                        **dict.fromkeys(columns, ""),
                        "game": "cyclic",
                        "algorithm": algorithm,
                        "mode": "sampled",
                        "seed": seed,
                        "step_size": step,
                        "temperature": 0.1,
                        "iterations": iterations,
                        "gap_last": gap,
                        "gap_average": gap / 2,
                        "preference_queries": 100,
                        "run": run,
                        "verdict": "undecided" if seed else "converges (last iterate)",
                    }
                    lines.append(",".join(str(own[column]) for column in columns))
                    runs.append(run)
                    series.append(gap + 1.0 / np.arange(1, iterations + 2))
        config = {
            "game": "cyclic",
            "algorithms": list(algorithms),
            "iterations": iterations,
            "mode": "sampled",
        }
        files = {
            "summary.csv": "\n".join(lines) + "\n",
            "trajectories.parquet": trajectories(runs, series),
        }
        games = [{"game": "cyclic", "sha256": sha("cyclic")}]
        return self.write(name, config, files, games=games)

    def evaluated(
        self, methods: Sequence[str] = ("mnpo", "inpo"), seeds: Sequence[int] = (0,), mark: str = ""
    ) -> dict[str, tuple[Origin, str]]:
        """The models of an evaluation of a training run that `training` made."""
        models = {"sft": (Origin("eval", "sft"), START)}
        for method in methods:
            for seed in seeds:
                origin = Origin("train", method, None, seed)
                models[f"{method}-seed-{seed}"] = (origin, policy(method, seed, mark))
        return models


def policy(method: str, seed: int, mark: str = "") -> str:
    return sha("policy", method, seed, mark)


def make_scores(
    models: Sequence[str],
    value: Callable[[str], float],
    benchmark: str,
    judge: str,
    judge_hash: str,
    metric: str,
    prompts: int,
    noise: int,
    flags: Sequence[str],
) -> Scores:
    rng = np.random.default_rng(noise)
    shared = rng.uniform(-8, 8, prompts)
    values = np.array(
        [value(model) + shared + rng.uniform(-4, 4, prompts) for model in models]
    ).clip(0, 100)
    return Scores(
        benchmark=benchmark,
        judge=judge,
        models=tuple(
            ModelScore(
                model,
                metric,
                {metric: mean_interval(own, bounds=(0, 100)), f"{metric}/part": _around(50)},
                prompts,
                0,
                flags=tuple(flags),
            )
            for model, own in zip(models, values, strict=True)
        ),
        comparisons=comparisons_of(metric, compare_all(models, values, bounds=(0, 100))),
        hashes={"questions": sha("questions"), "judge": sha(judge_hash)},
    )


def some_wins(names: Sequence[str], prompts: int) -> WinMatrix:
    rng = np.random.default_rng(1)
    wins = rng.uniform(0.3, 0.7, (prompts, len(names), len(names)))
    wins = (wins + 1 - wins.transpose(0, 2, 1)) / 2
    return WinMatrix(tuple(names), wins)


def ledger(methods: Sequence[str], seeds: Sequence[int]) -> str:
    names = (
        "method seed prompts responses sampled_tokens preference_queries annotations rewards "
        "scored_tokens gradient_steps trained_groups trained_tokens dropped seconds"
    ).split()
    lines = [",".join(names)]
    for method in methods:
        for seed in seeds:
            lines.append(",".join([method, str(seed), *(str(10 + seed) for _ in names[2:])]))
    return "\n".join(lines) + "\n"


def curves(methods: Sequence[str], seeds: Sequence[int], steps: int = 450) -> str:
    lines = ["method,seed,iteration,player,update,step,kl,loss"]
    for method in methods:
        for seed in seeds:
            lines += [
                f"{method},{seed},1,1,1,{step},{step * 0.01},{1 / step + seed}"
                for step in range(1, steps + 1)
            ]
    return "\n".join(lines) + "\n"


def trajectories(runs: Sequence[str], series: Sequence[np.ndarray]) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    length = len(series[0])
    flat = np.concatenate(series)
    table = pa.table(
        {
            "run": np.repeat(list(runs), length),
            "iteration": np.tile(np.arange(length), len(runs)),
            **dict.fromkeys(("gap", "gap_average", "regularized_gap"), flat),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _around(value: float, half: float = 0.05) -> Interval:
    return Interval(value, value - half, value + half, 20, 20)


def _rest(origin: Origin) -> tuple[str, int | None, int | None]:
    return origin.algorithm, origin.iteration, origin.seed


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)
