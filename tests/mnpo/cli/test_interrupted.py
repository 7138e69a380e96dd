"""Studies that are killed, stopped, or find their parts damaged, and go on."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

#: Ten parts of a fraction of a second.
STUDY = [
    *("simulate", "--game", "random-skew", "--algorithms", "inpo,mnpo", "--iterations", "800"),
    *("--seeds", "40", "--sweep", "actions=3:7", "--output"),
]
RESULTS = ("run.yaml", "summary.csv", "summary.json", "trajectories.parquet")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, command) -> Path:
    """The study, run without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run([*command, *STUDY, folder], check=True, capture_output=True, timeout=300)
    assert len(sealed(folder)) == 10
    return folder


def sealed(folder: Path) -> dict[str, bytes]:
    """Finished parts, by name, and their rows."""
    seals = (folder / "parts").glob("*.json.sha256")
    return {seal.name: seal.with_suffix("").read_bytes() for seal in seals}


def state(folder: Path, names: dict[str, bytes]) -> dict[str, tuple[int, bytes]]:
    files = [folder / "parts" / name.removesuffix(".sha256") for name in names]
    files += [file.with_suffix(".parquet") for file in files]
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def start(command: list[str], folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start the study in a process group of its own and wait for its first finished part."""
    process = subprocess.Popen(
        [*command, *STUDY, str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not sealed(folder):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def members(group: int) -> list[str]:
    """Processes of a group that have not ended."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    split = [line.split() for line in listed]
    return [pid for pgid, status, pid in split if pgid == str(group) and status[0] != "Z"]


def gone(group: int) -> bool:
    deadline = time.monotonic() + 30
    while members(group):
        if time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def assert_same(folder: Path, whole: Path) -> None:
    for name in RESULTS:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_and_resumed(program, command, whole, tmp_path, jobs) -> None:
    folder = tmp_path / "out"
    process = start(command, folder, "--jobs", jobs)
    process.kill()
    process.communicate()
    assert gone(process.pid), "workers outlive the killed program"
    done = sealed(folder)
    assert 0 < len(done) < 10
    assert not (folder / "summary.csv").exists()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    before = state(folder, done)

    resumed = program(*STUDY, folder, "--jobs", jobs)
    assert resumed.code == 0, resumed.err
    assert f"{len(done)} of 10 parts were finished before and taken over" in resumed.out
    assert state(folder, done) == before
    assert_same(folder, whole)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert len(manifest["resumed"]) == 1
    assert manifest["resumed"][0]["environment"]["versions"] == manifest["environment"]["versions"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c(program, command, whole, tmp_path, jobs) -> None:
    folder = tmp_path / "out"
    process = start(command, folder, "--jobs", jobs)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert err == (
        f"mnpo-bench: interrupted; finished parts are kept in {folder}, the same command goes on\n"
    )
    assert gone(process.pid)
    done = sealed(folder)
    assert 0 < len(done) < 10, "the parts that had not begun were run nevertheless"
    assert not list(folder.rglob("*.partial"))

    resumed = program(*STUDY, folder)
    assert resumed.code == 0
    assert f"{len(done)} of 10 parts were finished before" in resumed.out
    assert_same(folder, whole)


def damage(file: Path, how: str) -> None:
    content = bytearray(file.read_bytes())
    if how == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "flipped":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()


@pytest.mark.parametrize("how", ["truncated", "empty", "flipped", "missing"])
@pytest.mark.parametrize("suffix", ["json", "parquet", "json.sha256", "parquet.sha256"])
def test_a_damaged_part_is_run_again(bench, tmp_path, how, suffix) -> None:
    study = ("simulate", "--algorithms", "inpo,mwu", "--iterations", 4, "--output", "out")
    assert bench(*study).code == 0
    folder = tmp_path / "out"
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    damage(sorted((folder / "parts").glob(f"*.{suffix}"))[0], how)
    again = bench(*study)
    assert again.code == 0, again.err
    assert "1 of 2 parts were finished before" in again.out
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "manifest.json" and not path.name.startswith("report"):
            assert path.read_bytes() == before.pop(path.name), path


def test_lost_results_are_written_again_without_running(bench, tmp_path) -> None:
    study = ("simulate", "--algorithms", "inpo,mwu", "--iterations", 4, "--output", "out")
    assert bench(*study).code == 0
    kept = (tmp_path / "out" / "summary.csv").read_bytes()
    for name in (*RESULTS[1:], "report.md", "report.html"):
        (tmp_path / "out" / name).unlink()
    again = bench(*study)
    assert "2 of 2 parts were finished before" in again.out
    assert (tmp_path / "out" / "summary.csv").read_bytes() == kept
    assert (tmp_path / "out" / "report.html").is_file()


def test_overwrite_replaces_the_run_that_is_there(bench, tmp_path) -> None:
    study = ("simulate", "--algorithms", "inpo", "--iterations", 4, "--output", "out")
    assert bench(*study).code == 0
    assert bench(*study, "--overwrite", "--step-size", 0.25).code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert len(list((tmp_path / "out" / "parts").glob("*.parquet"))) == 1


def test_a_changed_file_is_another_run(bench, tmp_path) -> None:
    (tmp_path / "wins.csv").write_text("p,a,b\na,.5,.8\nb,.2,.5\n")
    study = (
        *("simulate", "--game", "file:wins.csv", "--algorithms", "mwu"),
        *("--iterations", 4, "--output", "out"),
    )
    assert bench(*study).code == 0
    first = (tmp_path / "out" / "summary.csv").read_bytes()
    (tmp_path / "wins.csv").write_text("p,a,b\na,.5,.6\nb,.4,.5\n")
    refused = bench(*study)
    assert refused.code == 2
    assert "out holds a run with another wins.csv" in refused.err
    assert (tmp_path / "out" / "summary.csv").read_bytes() == first
    again = bench(*study, "--overwrite")
    assert again.code == 0
    assert "finished before" not in again.out
    assert (tmp_path / "out" / "summary.csv").read_bytes() != first


def test_a_changed_file_of_counts_is_another_run(bench, tmp_path) -> None:
    (tmp_path / "wins.csv").write_text("p,a,b,c\na,.5,.8,.4\nb,.2,.5,.7\nc,.6,.3,.5\n")
    (tmp_path / "battles.csv").write_text("n,a,b,c\na,0,9,9\nb,9,0,9\nc,9,9,0\n")
    study = (
        *("simulate", "--game", "file:wins.csv", "--algorithms", "mwu", "--iterations", 4),
        *("--set", "counts=battles.csv", "--set", "min_count=5", "--set", "fill_missing=half"),
    )
    first, same = bench(*study), bench(*study)
    assert first.code == 0, first.err
    assert "1 of 1 parts were finished before" in same.out
    (tmp_path / "battles.csv").write_text("n,a,b,c\na,0,2,9\nb,2,0,9\nc,9,9,0\n")
    changed = bench(*study)
    assert changed.code == 0, changed.err
    assert "finished before" not in changed.out  # a folder of its own
    one, other = (folder / "summary.csv" for folder in (tmp_path / "runs").iterdir())
    assert one.read_bytes() != other.read_bytes()
