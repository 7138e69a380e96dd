"""The same two ways of computing on real judgements: are the simulated variances of their kind?"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from calibration_cases.case import NORMAL
from evaluation.alpaca_eval.length_control import Rows, controlled, fit, read_gamed
from evaluation.rows import read_rows
from evaluation.statistics import mean_interval, weighted_bootstrap_interval

#: By battle: points of the model that is not the baseline.
_POINTS = {"tie": 0.5, "model_b": 1.0, "model_a": 0.0}


def report(folder: Path) -> None:
    """Print one line for each file that is there."""
    for part in (_alpaca_eval, _arena_hard, _mt_bench):
        part(folder)


def _alpaca_eval(folder: Path) -> None:
    base = folder / "alpaca_eval"
    gamed_file, reference_file = (
        base / "glm" / "df_gamed_reconstructed.csv",
        base / "reference_gpt4_1106_preview.jsonl.gz",
    )
    if not gamed_file.is_file() or not reference_file.is_file():
        return
    gamed = read_gamed(gamed_file)
    reference = {row.values["index"]: len(row.text("output")) for row in read_rows(reference_file)}
    for file in sorted((base / "annotations").glob("*.jsonl.gz")):
        judged = [row for row in read_rows(file) if row.values["preference"] is not None]
        lengths = {
            row.values["index"]: len(row.text("output"))
            for row in read_rows(base / "outputs" / file.name)
        }
        index = [row.values["index"] for row in judged]
        rows = Rows(
            np.array([row.values["preference"] - 1 for row in judged]),
            np.array([float(reference[i] - lengths[i]) for i in index]),
            gamed.by_instruction[index],
        )
        weights = fit(rows, gamed, 1.0)[0]
        predicted = 100 / (1 + np.exp(-(weights[1] * rows.difficulty + weights[2])))
        official = 2 * NORMAL * predicted.std(ddof=1) / np.sqrt(len(index))
        ours = weighted_bootstrap_interval(
            lambda times, rows=rows: controlled(fit(rows, gamed, 1.0, times), rows, times),
            range(len(index)),
            seed=0,
            replicates=500,
            at_once=64,
        )
        assert ours.low is not None
        assert ours.high is not None
        raw = 200 * NORMAL * rows.preference.std(ddof=1) / np.sqrt(len(index))
        model = file.name.removesuffix(".jsonl.gz")
        print(
            f"AlpacaEval {model}: LC interval, ours {ours.high - ours.low:.2f} points wide, "
            f"official {official:.2f}, of the raw win rate {raw:.2f}"
        )


def _arena_hard(folder: Path) -> None:
    files = sorted((folder / "arena_hard" / "v0.1").glob("battles_*/*.csv.gz"))
    for file in files:
        battles = defaultdict(list)
        for row in read_rows(file):
            points = _POINTS.get(row.text("winner").split(" ")[0])
            if points is not None:
                battles[row.text("model_b")].append((row.text("question_id"), points))
        for model, own in sorted(battles.items()):
            points = np.array([p for _, p in own])
            ours = mean_interval(points, [question for question, _ in own], bounds=(0.0, 1.0))
            assert ours.low is not None
            assert ours.high is not None
            usual = 2 * NORMAL * points.std(ddof=1) / np.sqrt(len(points))
            print(
                f"Arena-Hard {model}: ours {100 * (ours.high - ours.low):.2f} points wide, "
                f"over battles {100 * usual:.2f}, ratio {(ours.high - ours.low) / usual:.2f}"
            )


def _mt_bench(folder: Path) -> None:
    for file in sorted((folder / "mt_bench" / "judgments").glob("*.jsonl.gz")):
        grades = defaultdict(list)
        for row in read_rows(file):
            if row.values["score"] != -1:
                grades[row.text("model")].append((row.values["question_id"], row.values["score"]))
        for model, own in sorted(grades.items()):
            scores = np.array([score for _, score in own], dtype=float)
            ours = mean_interval(scores, [question for question, _ in own], bounds=(1.0, 10.0))
            if ours.low is None or ours.high is None:
                continue
            usual = 2 * NORMAL * scores.std(ddof=1) / np.sqrt(len(scores))
            print(
                f"MT-Bench {model}: ours {ours.high - ours.low:.2f} wide, over rows {usual:.2f}, "
                f"ratio {(ours.high - ours.low) / usual:.2f}"
            )
