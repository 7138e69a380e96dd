"""The same weights from two processes as from one, by ``accelerate launch`` over gloo."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mnpo.training.engine import pair_loss_objective

HERE = Path(__file__).parent


def launch(folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += [
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    ]
    command += ["--main_process_port", "0", *options, str(HERE / "train_by_two.py"), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(HERE), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_are_one(lab: Any, tmp_path: Path) -> None:
    alone = lab.tiny_llama().double()
    examples = lab.random_examples(9)
    objective = pair_loss_objective("ipo", {"temperature": 0.1})
    lab.run(alone, examples, objective, tmp_path / "one", save_steps=2)
    launch(tmp_path / "two")
    assert (tmp_path / "two" / "world").read_text() == "2"
    weights = torch.load(tmp_path / "two" / "weights.pt")
    for name, parameter in alone.state_dict().items():
        torch.testing.assert_close(weights[name], parameter, rtol=0, atol=1e-9)
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    for one, two in zip(*logs, strict=True):
        del one["seconds"], two["seconds"]
        assert two == pytest.approx(one, rel=1e-4)
    # In float32, with two passes a step at most: their sum is the same in any order.
    single = lab.tiny_llama()
    run = {"epochs": 8, "learning_rate": 3e-3}
    assert lab.run(single, examples, objective, tmp_path / "single", **run).steps == 24
    assert lab.distance(single, lab.tiny_llama()) > 1e-3
    weights = torch.load(tmp_path / "two" / "single.pt")
    for name, parameter in single.state_dict().items():
        torch.testing.assert_close(weights[name], parameter, rtol=0, atol=1e-7)
    # A checkpoint of two processes is one that a single process goes on from.
    again = lab.tiny_llama().double()
    lab.run(again, examples, objective, tmp_path / "two", save_steps=2)
    assert lab.distance(again, alone) < 1e-9
