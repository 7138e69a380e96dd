import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import DamagedRun
from mnpo.runs.files import write_atomically
from mnpo.training import stages
from mnpo.training.stages import SCRATCH, SEAL, StageStore, verify

INPUTS = {"seed": 1, "prompts": "abc", "settings": {"top_p": 1.0, "batch": 4}}


class Recorder:
    """Listens, and makes a stage of two files."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, str]] = []
        self.made = 0

    def listen(self, *event: str) -> None:
        self.events.append(event)

    def make(self, folder: Path) -> None:
        self.made += 1
        (folder / "sub").mkdir(exist_ok=True)
        write_atomically(folder / "rows.json", "[1, 2, 3]\n")
        write_atomically(folder / "sub" / "weights.bin", bytes(range(200)))

    @property
    def names(self) -> list[str]:
        return [event[0] for event in self.events]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def open_store(root: Path, recorder: Recorder) -> StageStore:
    return StageStore(root, listen=recorder.listen)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text("xyz", min_size=1), JSON, min_size=1, max_size=4), st.data())
def test_a_key_is_of_the_content_alone(tmp_path_factory, inputs, data):
    store = StageStore(Path("nowhere"))
    key = store.key("sample", inputs)
    turned = dict(reversed(list(inputs.items())))
    assert store.key("sample", turned) == key
    assert StageStore(Path("elsewhere")).key("sample", inputs) == key
    assert store.key("ask", inputs) != key
    name = data.draw(st.sampled_from(sorted(inputs)))
    changed = data.draw(JSON.filter(lambda value: json.dumps(value) != json.dumps(inputs[name])))
    assert store.key("sample", inputs | {name: changed}) != key
    assert store.key("sample", inputs | {"new": None}) != key


def test_the_key_changes_with_the_version(monkeypatch):
    store = StageStore(Path("nowhere"))
    before = store.key("sample", INPUTS)
    monkeypatch.setattr(stages, "VERSION", stages.VERSION + 1)
    assert store.key("sample", INPUTS) != before


def test_inputs_that_are_no_json_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        StageStore(Path("nowhere")).key("sample", {"weight": float("nan")})


def test_done_is_done(tmp_path, recorder):
    store = open_store(tmp_path / "deep" / "stages", recorder)
    assert not store.has("train", INPUTS)
    first = store.build("train", INPUTS, recorder.make)
    assert store.has("train", INPUTS)
    assert store.build("train", INPUTS, recorder.make) == first
    assert open_store(store.root, recorder).build("train", INPUTS, recorder.make) == first
    assert recorder.made == 1
    assert recorder.names == ["started", "finished", "reused", "reused"]
    assert {event[1] for event in recorder.events} == {"train"}
    seal = verify(first)
    assert seal["inputs"] == INPUTS
    assert sorted(seal["files"]) == ["rows.json", "sub/weights.bin"]
    assert not [entry for entry in store.root.iterdir() if "working" in entry.name]


def test_a_failure_leaves_its_work_for_the_next_attempt(tmp_path, recorder):
    def fail(folder):
        write_atomically(folder / "half.json", "1")
        raise RuntimeError("no")

    store = open_store(tmp_path, recorder)
    with pytest.raises(RuntimeError):
        store.build("ask", INPUTS, fail)
    assert not store.has("ask", INPUTS)
    seen = []

    def go_on(folder):
        seen.extend(path.name for path in folder.iterdir())
        recorder.make(folder)

    final = store.build("ask", INPUTS, go_on)
    assert seen == ["half.json"]
    assert "half.json" in verify(final)["files"]


SCRIPT = """
import os, sys, time
from pathlib import Path
from mnpo.training.stages import StageStore

root, how = Path(sys.argv[1]), sys.argv[2]

def make(folder):
    with (root / "made.txt").open("a") as log:
        log.write("x")
    (folder / "shard-0").write_text("done")
    if how == "exit":
        os._exit(9)
    if how == "hang":
        (root / "ready").touch()
        time.sleep(60)
    time.sleep(0.3)
    (folder / "result").write_text("whole")

StageStore(root / "stages").build("sample", {"a": 1}, make)
"""


def start(root: Path, how: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(root), how])


@pytest.mark.parametrize("how", ["exit", "hang"])
def test_a_killed_process_blocks_nobody_and_loses_no_shard(tmp_path, how, recorder):
    process = start(tmp_path, how)
    if how == "hang":
        for _ in range(400):
            if (tmp_path / "ready").exists():
                break
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) != 0
    store = open_store(tmp_path / "stages", recorder)
    seen = []

    def make(folder):
        seen.extend(path.read_text() for path in folder.iterdir())
        (folder / "result").write_text("whole")

    final = store.build("sample", {"a": 1}, make)
    assert seen == ["done"]
    assert (final / "result").read_text() == "whole"
    assert recorder.names == ["started", "finished"]


def test_two_processes_make_a_stage_once(tmp_path):
    both = [start(tmp_path, "make") for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    assert (tmp_path / "made.txt").read_text() == "x"
    (final,) = (p for p in (tmp_path / "stages").iterdir() if p.is_dir())
    verify(final)


def _flip(folder):
    file = folder / "sub" / "weights.bin"
    held = bytearray(file.read_bytes())
    held[100] ^= 1
    file.write_bytes(held)


DAMAGES = {
    "flipped": (_flip, "weights.bin is not what was written"),
    "truncated": (
        lambda folder: (folder / "rows.json").write_text("[1,"),
        "rows.json is not what was written",
    ),
    "missing": (lambda folder: (folder / "rows.json").unlink(), "rows.json is missing"),
    "unsealed": (lambda folder: (folder / SEAL).unlink(), f"no readable {SEAL}"),
    "bad seal": (lambda folder: (folder / SEAL).write_text("{"), f"no readable {SEAL}"),
    "empty seal": (lambda folder: (folder / SEAL).write_text("[]"), f"no readable {SEAL}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_made_again(tmp_path, recorder, damage):
    hurt, says = DAMAGES[damage]
    final = open_store(tmp_path, recorder).build("train", INPUTS, recorder.make)
    hurt(final)
    with pytest.raises(DamagedRun, match=says):
        verify(final)
    again = open_store(tmp_path, recorder).build("train", INPUTS, recorder.make)
    assert again == final
    verify(final)
    assert recorder.made == 2
    assert recorder.names == ["started", "finished", "damaged", "started", "finished"]
    event, kind, key, detail = recorder.events[2]
    assert (event, kind, key) == ("damaged", "train", final.name)
    assert says in detail
    assert "made again" in detail


def full(path, content):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_leaves_nothing_that_counts(tmp_path, recorder, monkeypatch):
    store = open_store(tmp_path, recorder)
    with monkeypatch.context() as patched:
        patched.setattr(stages, "write_atomically", full)
        with pytest.raises(OSError, match="No space left"):
            store.build("train", INPUTS, recorder.make)
    assert not store.has("train", INPUTS)
    assert not (tmp_path / store.key("train", INPUTS)).exists()
    verify(store.build("train", INPUTS, recorder.make))


def test_scratch_lives_until_the_stage_counts_and_no_longer(tmp_path, recorder, monkeypatch):
    """Sealing hashes gigabytes: a kill or a full disk there must not cost the shards."""
    store, seen = open_store(tmp_path, recorder), []

    def make(folder):
        scratch = folder / SCRATCH
        scratch.mkdir(exist_ok=True)
        seen.append(sorted(path.name for path in scratch.iterdir()))
        (scratch / "shard-0").write_text("dear")
        (folder / ".rows.json.abc.partial").write_text("left by a kill")
        recorder.make(folder)

    with monkeypatch.context() as patched:
        patched.setattr(stages, "write_atomically", full)
        with pytest.raises(OSError, match="No space left"):
            store.build("sample", INPUTS, make)
    final = store.build("sample", INPUTS, make)
    assert seen == [[], ["shard-0"]]
    assert sorted(path.name for path in final.iterdir()) == ["rows.json", SEAL, "sub"]
    assert sorted(verify(final)["files"]) == ["rows.json", "sub/weights.bin"]


def test_scratch_that_a_kill_left_in_a_finished_stage_goes(tmp_path, recorder):
    final = open_store(tmp_path, recorder).build("sample", INPUTS, recorder.make)
    (final / SCRATCH).mkdir()
    (final / SCRATCH / "shard-0").write_text("big")
    open_store(tmp_path, recorder).build("sample", INPUTS, recorder.make)
    assert not (final / SCRATCH).exists()
    assert recorder.made == 1


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_share_the_work(tmp_path, on_ranks, size):
    made = []

    def work(world):
        def make(folder):
            time.sleep(0.1 * world.rank)  # the leader must not seal before the others are done
            for number in range(world.rank, 7, world.size):
                made.append((world.rank, number))
                write_atomically(folder / f"part-{number}", str(number))

        return StageStore(tmp_path, world).build("sample", INPUTS, make)

    folders = on_ranks(size, work)
    assert len(set(folders)) == 1
    assert sorted(number for _, number in made) == list(range(7))
    assert {rank for rank, _ in made} == set(range(size))
    assert len(verify(folders[0])["files"]) == 7
    on_ranks(size, work)
    assert len(made) == 7


def test_ranks_repair_together(tmp_path, on_ranks):
    def work(world):
        def make(folder):
            write_atomically(folder / f"part-{world.rank}", "x")

        return StageStore(tmp_path, world).build("sample", INPUTS, make)

    final, _ = on_ranks(2, work)
    (final / "part-1").write_text("y")
    on_ranks(2, work)
    verify(final)
