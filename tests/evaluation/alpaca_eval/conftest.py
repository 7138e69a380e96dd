import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evaluation.data.files import BenchmarkFiles
from evaluation.records import Answer, ModelAnswers

BASELINE = "gpt4_1106_preview"


def code(model):
    """A number for a name."""
    return sum(map(ord, model))


@dataclass
class World:
    """An invented benchmark of 60 instructions on disk, and models that were judged on it."""

    folder: Path
    size: int

    @property
    def reference(self):
        return self.folder / "reference.json"

    @property
    def glm(self):
        return self.folder / "glm"

    def files(self):
        return BenchmarkFiles(
            "alpaca-eval",
            {"reference": self.reference, "df_gamed": self.glm / "df_gamed.csv"},
        )

    def instruction(self, k):
        return f"Tell me fact {k} about {{towers}}."

    def baseline(self, k):
        return f"Fact {k}: " + "tall " * (3 + k % 7)

    def output(self, model, k):
        return f"{model} says {k}. " + "short " * (k * code(model) % 11)

    def answers(self, model, only=None):
        return ModelAnswers(
            model,
            {str(k): Answer((self.output(model, k),)) for k in only or range(self.size)},
        )

    def preference(self, model, k):
        random = np.random.default_rng([code(model), k])
        return float(1 + random.beta(1, 2 + code(model) % 3))

    def annotations(self, model):
        """Rows in the official format."""
        return [
            {
                "instruction": self.instruction(k),
                "output_1": self.baseline(k),
                "generator_1": BASELINE,
                "dataset": f"part-{k // 20}",
                "output_2": self.output(model, k),
                "generator_2": model,
                "annotator": "weighted",
                "preference": self.preference(model, k),
            }
            for k in range(self.size)
        ]

    def write(self, name, rows):
        path = self.folder / name
        path.write_text(json.dumps(rows))
        return path


@pytest.fixture
def world(tmp_path):
    own = World(tmp_path, 60)
    own.write(
        "reference.json",
        [
            {
                "dataset": f"part-{k // 20}",
                "instruction": own.instruction(k),
                "output": own.baseline(k),
                "generator": BASELINE,
            }
            for k in range(own.size)
        ],
    )
    own.glm.mkdir()
    random = np.random.default_rng(7)
    difficulty = random.normal(size=own.size)
    with (own.glm / "df_gamed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            "model index preference std_delta_len instruction_difficulty not_gamed_baseline".split()
        )
        for name, shift in (("verbose", -1.5), ("concise", 1.5)):
            for k in range(own.size):
                length = shift + random.normal()
                p = 1 / (1 + np.exp(0.9 * np.tanh(length) - 0.4 * difficulty[k]))
                writer.writerow([name, k, p, length, difficulty[k], False])
    (own.glm / "instruction_difficulty.csv").write_text(
        ",instruction_difficulty\n" + "".join(f"{k},{d}\n" for k, d in enumerate(difficulty))
    )
    return own
