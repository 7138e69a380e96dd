"""Run directories: opened, resumed, refused, sealed."""

import errno
import json
from pathlib import Path

import pytest
import yaml

from mnpo.errors import DamagedRun, UserError
from mnpo.runs import RunDirectory, sha256_file
from mnpo.runs.directory import explain_os_error

CONFIG = {"game": "cyclic", "iterations": 5, "sweep": {"step_size": [0.1, 1e-5]}, "note": "τ"}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.open(tmp_path / "run", CONFIG)


def test_a_new_run(run: RunDirectory) -> None:
    assert yaml.safe_load((run.path / "run.yaml").read_text()) == CONFIG
    manifest = run.manifest()
    assert manifest["format"] == 1
    assert manifest["status"] == "running"
    assert manifest["environment"]["python"]
    assert run.parts.is_dir()


def test_folders_above_are_made(tmp_path: Path) -> None:
    assert RunDirectory.open(tmp_path / "a" / "b" / "c", CONFIG).path.is_dir()


def test_opening_it_again_changes_nothing(run: RunDirectory) -> None:
    run.write_part("key", "json", "[]")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    again = RunDirectory.open(run.path, dict(reversed(CONFIG.items())))
    assert again.has_part("key", "json")
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"iterations": 6}, "iterations: 5, not 6"),
        ({"game": "disc", "iterations": 6}, "game: 'cyclic', not 'disc'"),
        ({"seeds": 2}, "seeds: None, not 2"),
    ],
)
def test_another_configuration_is_refused(
    run: RunDirectory, change: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        RunDirectory.open(run.path, CONFIG | change)
    assert "--overwrite" in str(caught.value)
    assert yaml.safe_load((run.path / "run.yaml").read_text()) == CONFIG


def test_overwrite_starts_anew(run: RunDirectory) -> None:
    run.write_part("key", "json", "[]")
    anew = RunDirectory.open(run.path, CONFIG | {"iterations": 6}, overwrite=True)
    assert yaml.safe_load((run.path / "run.yaml").read_text())["iterations"] == 6
    assert not anew.has_part("key", "json")


def test_overwrite_leaves_what_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="is not empty and holds no run"):
        RunDirectory.open(tmp_path, CONFIG, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UserError, match="is a file; give a folder"):
        RunDirectory.open(tmp_path / "run", CONFIG)


def test_what_a_failed_first_write_leaves_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / ".run.yaml.abc.partial").write_text("game: cyc")
    assert RunDirectory.open(tmp_path, CONFIG).manifest()["status"] == "running"


def test_parts_without_a_configuration_are_not_ours_to_take(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "engine.csv").write_text("bolts")
    with pytest.raises(UserError, match="holds no run"):
        RunDirectory.open(tmp_path, CONFIG)


def test_a_lost_manifest_is_written_again(run: RunDirectory) -> None:
    (run.path / "manifest.json").unlink()
    assert RunDirectory.open(run.path, CONFIG).manifest()["status"] == "running"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]"])
def test_a_damaged_manifest(run: RunDirectory, content: bytes) -> None:
    (run.path / "manifest.json").write_bytes(content)
    with pytest.raises(DamagedRun, match=r"manifest\.json.*--overwrite") as caught:
        RunDirectory.open(run.path, CONFIG)
    assert "\n" not in str(caught.value)
    assert RunDirectory.open(run.path, CONFIG, overwrite=True).manifest()["format"] == 1


@pytest.mark.parametrize("content", [b"", b"game: [", b"\xff", b"- 1"])
def test_a_damaged_configuration(run: RunDirectory, content: bytes) -> None:
    (run.path / "run.yaml").write_bytes(content)
    with pytest.raises(DamagedRun, match=r"run\.yaml cannot be read") as caught:
        RunDirectory.open(run.path, CONFIG)
    assert "\n" not in str(caught.value)


def test_parts(run: RunDirectory) -> None:
    assert not run.has_part("key", "json")
    run.write_part("key", "json", "[1]")
    run.write_part("key", "bin", lambda file: file.write(b"\x00"))
    assert run.has_part("key", "json")
    assert run.has_part("key", "bin")
    assert run.part("key", "json").read_text() == "[1]"
    assert not run.has_part("other", "json")
    run.write_part("key", "json", "[2]")
    assert run.has_part("key", "json")


@pytest.mark.parametrize("content", [b"", b"[1", b"[2]", b"[1]\n"])
def test_a_damaged_part_does_not_count_and_is_removed(run: RunDirectory, content: bytes) -> None:
    run.write_part("key", "json", "[1]")
    run.part("key", "json").write_bytes(content)
    assert not run.has_part("key", "json")
    assert not list(run.parts.iterdir())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0" * 64])
def test_a_damaged_seal(run: RunDirectory, content: bytes) -> None:
    run.write_part("key", "json", "[1]")
    run.part("key", "json").with_suffix(".json.sha256").write_bytes(content)
    assert not run.has_part("key", "json")


def test_a_part_without_its_seal_does_not_count(run: RunDirectory) -> None:
    run.write_part("key", "json", "[1]")
    run.part("key", "json").with_suffix(".json.sha256").unlink()
    assert not run.has_part("key", "json")


def test_the_seal_is_the_checksum_that_tools_print(run: RunDirectory) -> None:
    run.write_part("key", "json", "[1]")
    seal = run.part("key", "json").with_suffix(".json.sha256").read_text()
    assert seal == sha256_file(run.part("key", "json")) + "\n"


def test_the_manifest_tells_the_history(run: RunDirectory) -> None:
    run.begin(taken_over=False, seeds=[0])
    first = run.manifest()
    run.begin(taken_over=True)
    run.begin(taken_over=True)
    (run.path / "result.csv").write_text("a,b\n")
    run.finish({"result.csv": run.path / "result.csv"}, 1.23456)
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["started"] == first["started"]
    assert manifest["seeds"] == [0]
    assert [set(entry) for entry in manifest["resumed"]] == [{"started", "environment"}] * 2
    assert manifest["status"] == "done"
    assert manifest["seconds"] == 1.235
    assert manifest["outputs"] == {"result.csv": sha256_file(run.path / "result.csv")}
    run.begin(taken_over=True)
    assert run.manifest()["status"] == "running"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_explained(code: int) -> None:
    line = explain_os_error(OSError(code, "No space", "run/summary.csv"), Path("run"))
    assert line.startswith("the disk is full: could not write run/summary.csv; free some space")
    assert "could not write run;" in explain_os_error(OSError(code, "No space"), Path("run"))


def test_other_errors_are_explained() -> None:
    assert (
        explain_os_error(PermissionError(errno.EACCES, "Permission denied", "run"), Path())
        == "cannot write run: Permission denied"
    )
    assert explain_os_error(OSError("odd"), Path("run")) == "cannot write run: odd"


def test_a_manifest_or_configuration_that_is_nested_too_deeply(run: RunDirectory) -> None:
    (run.path / "manifest.json").write_text("[" * 200_000)
    with pytest.raises(DamagedRun, match="cannot be read"):
        run.manifest()
    (run.path / "run.yaml").write_text("[" * 3000)
    with pytest.raises(DamagedRun, match="cannot be read"):
        run.refuse(CONFIG)
