"""Several processes and Ray give what one process gives."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = (
    *("simulate", "--game", "random-skew", "--set", "actions=4", "--algorithms", "inpo,dpo,mwu"),
    *("--mode", "sampled", "--set", "queries=30", "--iterations", 6, "--seeds", 3),
    *("--sweep", "step_size=0.1,0.5", "--sweep", "label_noise=0,0.1", "--output"),
)
CLUSTER = """
import sys
import ray
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=40)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def serial(bench, tmp_path) -> Path:
    outcome = bench(*STUDY, "serial")
    assert outcome.code == 0, outcome.err
    return tmp_path / "serial"


def assert_same(one: Path, other: Path) -> None:
    for name in ("run.yaml", "summary.csv", "summary.json", "trajectories.parquet"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_two_processes(program, serial, tmp_path) -> None:
    outcome = program(*STUDY, "processes", "--jobs", 2)
    assert outcome.code == 0, outcome.err
    assert_same(tmp_path / "processes", serial)


@pytest.fixture
def own_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters of these tests share a token of their own instead of writing one to the home."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))


@pytest.mark.ray
@pytest.mark.usefixtures("own_token")
def test_a_local_ray(program, serial, tmp_path) -> None:
    outcome = program(*STUDY, "ray", "--executor", "ray", "--jobs", 2)
    assert outcome.code == 0, outcome.err
    assert outcome.errors == []
    assert_same(tmp_path / "ray", serial)


@pytest.mark.ray
@pytest.mark.usefixtures("own_token")
def test_a_ray_cluster_that_is_running(program, serial, tmp_path, monkeypatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cluster:
        assert cluster.stdout is not None
        monkeypatch.setenv("RAY_ADDRESS", cluster.stdout.readline().strip())
        outcome = program(*STUDY, "ray", "--executor", "ray")
        cluster.communicate("")
    assert outcome.code == 0, outcome.err
    assert_same(tmp_path / "ray", serial)
