"""Disks that are full and folders that cannot be written."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

STUDY = ("simulate", "--algorithms", "inpo,mwu,dpo", "--iterations", 60, "--output")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 48 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not shutil.which("mount"):
        pytest.skip("there is no mount command to make a small disk with")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(program, small_disk) -> None:
    folder = small_disk / "out"
    outcome = program(*STUDY, folder)
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.errors
    assert line.startswith(f"mnpo-bench: the disk is full: could not write {folder}/")
    assert line.endswith("free some space and repeat the command, finished parts are kept")
    assert not list(folder.rglob("*.partial"))
    assert not (folder / "summary.csv").exists()
    seals = (folder / "parts").glob("*.json.sha256")
    done = {path: path.stat().st_mtime_ns for path in (seal.with_suffix("") for seal in seals)}
    assert 0 < len(done) < 3

    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    again = program(*STUDY, folder)
    assert again.code == 0, again.err
    assert f"{len(done)} of 3 parts were finished before" in again.out
    assert {path: path.stat().st_mtime_ns for path in done} == done
    elsewhere = program(*STUDY, small_disk / "elsewhere")
    assert elsewhere.code == 0
    for name in ("summary.csv", "trajectories.parquet"):
        whole = (small_disk / "elsewhere" / name).read_bytes()
        assert (folder / name).read_bytes() == whole


@pytest.mark.parametrize("fails_at", range(14))
def test_a_disk_that_fills_up_at_any_moment(bench, tmp_path, monkeypatch, fails_at) -> None:
    """Every file is flushed before it counts, so failing there fails every write in turn."""
    flush, calls = os.fsync, iter(range(10**6))

    def full(handle: int) -> None:
        if next(calls) == fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    study = ("simulate", "--algorithms", "inpo,mwu", "--iterations", 3, "--output", "out")
    monkeypatch.setattr(os, "fsync", full)
    outcome = bench(*study)
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.errors
    assert line.startswith("mnpo-bench: the disk is full: could not write out/")
    assert not list((tmp_path / "out").rglob("*.partial"))
    monkeypatch.setattr(os, "fsync", flush)
    again = bench(*study)
    assert again.code == 0, again.err
    fresh = bench(*study[:-1], "fresh")
    assert fresh.code == 0
    for name in ("summary.csv", "summary.json", "trajectories.parquet", "run.yaml"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


def test_a_quota_on_file_sizes(command, tmp_path) -> None:
    import resource
    import signal

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    finished = subprocess.run(
        [*command, *map(str, STUDY), "out"],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=small_files,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].startswith("mnpo-bench: cannot write out/")
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the root user")
def test_a_folder_without_permission(bench, tmp_path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    outcome = bench(*STUDY, "locked/out")
    assert outcome.code == 2
    assert outcome.errors == ["mnpo-bench: cannot write locked/out: Permission denied"]


def test_a_read_only_file_system(bench) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc")
    outcome = bench(*STUDY, "/proc/out")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert line.startswith("mnpo-bench: cannot write /proc/out")
