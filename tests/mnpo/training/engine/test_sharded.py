"""FSDP2 as accelerate wraps it, over gloo: parameters that no process holds whole."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

import mnpo
from mnpo.training.engine import pair_loss_objective
from mnpo.training.recipe import LoraSettings, ModelSettings

HERE = Path(__file__).parent
OBJECTIVE = pair_loss_objective("ipo", {"temperature": 0.1})
KINDS = {
    "full": ModelSettings(),
    "lora": ModelSettings(lora=LoraSettings(rank=4), gradient_checkpointing=True),
    "half": ModelSettings(precision="bfloat16"),
}


@pytest.fixture(scope="module")
def sharded(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each kind of run by two processes."""
    folder = tmp_path_factory.mktemp("sharded")
    lab.adapted(folder / "start", ModelSettings())
    recipe = Path(mnpo.__file__).parent / "recipes" / "accelerate" / "fsdp2.yaml"
    config = yaml.safe_load(recipe.read_text()) | {"num_processes": 2, "use_cpu": True}
    (folder / "two.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "accelerate.commands.launch"]
    command += ["--config_file", str(folder / "two.yaml"), "--main_process_port", "0"]
    command += [str(HERE / "train_sharded.py"), str(folder), *KINDS, "again"]
    environment = os.environ | {"PYTHONPATH": str(HERE), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def alone(lab: Any, sharded: Path, folder: Path, kind: str) -> Any:
    model = lab.adapted(sharded / "start", KINDS[kind])
    lab.run(model, lab.random_examples(9), OBJECTIVE, folder, model_settings=KINDS[kind])
    return model


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_process_holds_all_and_the_first_saves_all(lab, sharded, tmp_path, kind: str) -> None:
    first, second = told(sharded / kind)
    assert first["steps"] == second["steps"] == 3
    assert all(first["shared"].values())
    assert all(second["shared"].values())
    assert first["gathered"] == len(first["shared"])
    assert second["gathered"] == 0
    file = "adapter_model" if kind == "lora" else "model"
    model = alone(lab, sharded, tmp_path / "alone", kind)
    model.save_pretrained(tmp_path / "saved")
    expected = load_file(tmp_path / "saved" / f"{file}.safetensors")
    found = load_file(sharded / kind / "policy" / f"{file}.safetensors")
    start = lab.adapted(sharded / "start", KINDS[kind])
    moved = lab.distance(model, start)
    assert found.keys() == expected.keys()
    assert moved > 1e-3
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-3 * moved)
    logs = [
        json.loads((path / "log.jsonl").read_text().splitlines()[0])
        for path in (sharded / kind, tmp_path / "alone")
    ]
    for name in ("loss", "grad_norm", "best_log_prob", "margin", "kl"):
        assert logs[0][name] == pytest.approx(logs[1][name], rel=1e-5)


@pytest.mark.slow
def test_a_sharded_run_goes_on(sharded) -> None:
    """Again from the checkpoint after step 2, the one after it taken away."""
    found, expected = (
        load_file(sharded / name / "policy" / "model.safetensors") for name in ("again", "full")
    )
    assert told(sharded / "again")[0]["steps"] == 3
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor)
