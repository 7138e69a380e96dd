"""Seconds to score 50 models on 805 instructions, beside the alpaca-eval package's own metric.

    python benchmarks/scoring_speed.py [--models 50] [--instructions 805] [--jobs 1]

All texts, lengths and preferences are invented; nothing is read but what is written here. Prints

* seconds from files to scores: reading, warnings about the texts, both win rates, the package's
  length-controlled fit with its ten values of C, 1,000 refits of the bootstrap for each model, and
  all paired differences;
* seconds of the package's own metric for the same models (no interval), and the ratio, in
  processor time, since machines are shared;
* milliseconds of one refit, beside one of the package's at a fixed C, and their ratio: what a
  bootstrap with the package's code would take.

What was measured where stands in README.md beside this file.
"""

import argparse
import csv
import json
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  (the thread count is read when numpy is loaded)

from evaluation.alpaca_eval.controlling import draw  # noqa: E402
from evaluation.alpaca_eval.files import score_files  # noqa: E402
from evaluation.alpaca_eval.length_control import Rows, controlled, fit, read_gamed  # noqa: E402

WORDS = "the of and to in a is that for it as was with be by on not he his but at are this".split()


def text(random: np.random.Generator, mean: float) -> str:
    return " ".join(random.choice(WORDS, size=max(1, int(random.gamma(3, mean / 3)))))


def write_world(folder: Path, models: int, instructions: int) -> None:
    """A reference, a regulariser, and annotations of every model."""
    random = np.random.default_rng(0)
    prompts = [f"Question {k}: {text(random, 12)}?" for k in range(instructions)]
    baseline = [text(random, 350) for _ in prompts]
    difficulty = random.normal(-1, 1.2, size=instructions)
    rows = [
        {"instruction": p, "output": b, "generator": "gpt4_1106_preview"}
        for p, b in zip(prompts, baseline, strict=True)
    ]
    (folder / "reference.json").write_text(json.dumps(rows))
    (folder / "glm").mkdir()
    with (folder / "glm" / "df_gamed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            "model index preference std_delta_len instruction_difficulty not_gamed_baseline".split()
        )
        for name, shift in (("verbose", -1.5), ("concise", 1.5)):
            for k in range(instructions):
                length = shift + random.normal()
                p = 1 / (1 + np.exp(1.2 * np.tanh(length) - 0.3 * difficulty[k]))
                writer.writerow([name, k, p, length, difficulty[k], False])
    (folder / "annotations").mkdir()
    for number in range(models):
        skill, length = random.normal(-1, 1), random.uniform(200, 500)
        rows = []
        for k, (p, b) in enumerate(zip(prompts, baseline, strict=True)):
            z = skill + 0.8 * difficulty[k] + random.normal(scale=2)
            rows.append(
                {
                    "instruction": p,
                    "output_1": b,
                    "generator_1": "gpt4_1106_preview",
                    "output_2": text(random, length),
                    "generator_2": f"model-{number:02d}",
                    "annotator": "invented",
                    "preference": 1 + 1 / (1 + np.exp(-3 * z)),
                }
            )
        (folder / "annotations" / f"model-{number:02d}.json").write_text(json.dumps(rows))


def packages_own(folder: Path) -> float:
    """Processor seconds of the package's metric over all models, its texts already read."""
    from alpaca_eval.metrics import glm_winrate

    glm_winrate.hf_hub_download = lambda **_: str(folder / "glm" / "df_gamed.csv")
    taken = 0.0
    for path in sorted((folder / "annotations").iterdir()):
        rows = json.loads(path.read_text())
        begun = time.process_time()
        glm_winrate.get_length_controlled_winrate(rows, save_weights_dir=None)
        taken += time.process_time() - begun
    return taken


def refits(folder: Path, instructions: int) -> tuple[float, float]:
    """Milliseconds of one refit: ours within a bootstrap, and the package's at a fixed C."""
    from alpaca_eval.metrics import glm_winrate

    gamed = read_gamed(folder / "glm" / "df_gamed.csv")
    reference = json.loads((folder / "reference.json").read_text())
    own = json.loads(next((folder / "annotations").iterdir()).read_text())
    delta = [len(a["output"]) - len(b["output_2"]) for a, b in zip(reference, own, strict=True)]
    preference = np.array([row["preference"] for row in own]) - 1
    rows = Rows(preference, np.array(delta, dtype=float), gamed.by_instruction)
    times = draw(instructions, 0, 1000).times
    begun = time.process_time()
    controlled(fit(rows, gamed, 2.78, times), rows, times)
    ours = time.process_time() - begun  # of 1,000: milliseconds of one
    kept: list[Any] = []
    original = glm_winrate.fit_LogisticRegressionCV

    def keep(data: Any, column: str, **settings: Any) -> Any:
        kept.append((data, column, settings))
        return original(data, column, **settings)

    glm_winrate.fit_LogisticRegressionCV = keep
    glm_winrate.get_length_controlled_winrate(own, save_weights_dir=None)
    data, column, settings = kept[0]
    begun = time.process_time()
    for _ in range(10):
        original(data, column, **(settings | {"n_splits": 0, "C": 2.78}))
    return ours, 100 * (time.process_time() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--instructions", type=int, default=805)
    parser.add_argument("--jobs", type=int, default=1, help="processes of our scoring")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    from alpaca_eval.metrics import glm_winrate  # noqa: F401  (loading it is not scoring)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_world(folder, chosen.models, chosen.instructions)
        begun, before = time.perf_counter(), os.times()
        scores = score_files(
            [folder / "annotations"],
            [],
            folder / "reference.json",
            glm=folder / "glm",
            jobs=chosen.jobs,
        )
        ours, after = time.perf_counter() - begun, os.times()
        busy = sum(after[:4]) - sum(before[:4])  # ended processes included
        package = packages_own(folder)
        one, other = refits(folder, chosen.instructions)
    print(
        f"{chosen.models} models x {chosen.instructions} instructions, files to scores, with "
        f"{len(scores.comparisons)} paired differences: {ours:.1f} s, "
        f"{busy:.1f} s of the processor's, {chosen.jobs} processes at most"
    )
    print(
        f"the package's metric alone, without intervals: {package:.1f} s on the processor "
        f"(ours takes {busy / package:.1f}x)"
    )
    print(f"one refit of the bootstrap: {one:.3f} ms; by the package: {other:.2f} ms ", end="")
    print(f"({other / one:.0f}x)")


if __name__ == "__main__":
    main()
