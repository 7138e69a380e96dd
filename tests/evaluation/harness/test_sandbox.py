"""Programs that a model might write, each harmless here and bounded where it is not."""

import gzip
import json
import os
import select
import sys
import time
from pathlib import Path

import pytest

from evaluation.harness.humaneval import check
from evaluation.harness.sandbox import Fence, Limits, SandboxBroken, find_fence
from evaluation.harness.sandbox import fence as module

QUICK = Limits(wall=5.0, cpu=1)


@pytest.fixture(scope="module")
def fence() -> Fence:
    return find_fence(QUICK)


@pytest.mark.parametrize(
    "program",
    [
        "x = 1",
        "import re, collections, hashlib, itertools, typing, random, math, json",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "open('own.txt', 'w').write('soup')\nassert open('own.txt').read() == 'soup'",
        "import sys\nsys.setrecursionlimit(5000)\ndef f(n): return n and f(n - 1)\nf(3000)",
    ],
)
def test_honest_programs_pass(fence, program):
    assert fence.run(program).passed, fence.run(program)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("assert 1 == 2", "AssertionError"),
        ("x = (", "SyntaxError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("import os\nos._exit(0)", "ended without a result"),
        ("input()", "EOFError"),
        ("while True: pass", "ended without a result"),
        ("while True: print('soup' * 10000)", "ended without a result"),
        ("x = bytearray(1 << 33)", "MemoryError"),
        ("f = open('f', 'wb')\nfor _ in range(99): f.write(bytes(1 << 20))", "OSError"),
        ("import ctypes\nctypes.string_at(0)", "ended without a result"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class E(Exception):\n def __str__(self): raise E()\nraise E()", "cannot be shown"),
    ],
)
def test_other_programs_do_not(fence, program, why):
    verdict = fence.run(program)
    assert not verdict.passed
    assert why in verdict.why


def test_memory_ends(fence):
    verdict = fence.run("x = []\nwhile True: x.append(bytearray(1 << 22))")
    assert not verdict.passed
    # Python does not always have the memory left that its own report of the error takes.
    assert "MemoryError" in verdict.why or "ended without a result" in verdict.why


def test_sleep_ends_by_the_clock():
    begin = time.monotonic()
    verdict = find_fence(Limits(wall=1.0)).run("import time\ntime.sleep(60)")
    assert verdict.why == "timed out"
    assert time.monotonic() - begin < 30


def test_no_variable_of_the_user_is_seen(fence, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "secret-soup")
    program = "import os\nassert 'secret-soup' not in str(dict(os.environ)), 'seen'\n"
    assert fence.run(program).passed
    # Nor in what a parent process was started with.
    program = (
        "import glob\nfor name in glob.glob('/proc/[0-9]*/environ'):\n"
        " try: text = open(name, 'rb').read()\n except OSError: continue\n"
        " assert b'secret-soup' not in text, name\n"
    )
    if fence.walls:
        assert fence.run(program).passed


def test_fork_bomb_is_bounded(fence):
    program = "import os\nn = 0\nwhile True:\n os.fork()\n n += 1\n"
    before = _processes()
    verdict = fence.run(program)
    assert not verdict.passed
    if fence.filtered:
        assert "PermissionError" in verdict.why
    assert _processes() <= before + 3


def test_nothing_outlives_the_clock():
    program = "import time\ntime.sleep(30)"
    begin = _sleepers()
    find_fence(Limits(wall=0.5)).run(program)
    assert _sleepers() == begin


@pytest.mark.parametrize(
    "program",
    [
        "import subprocess\nsubprocess.check_output('true')",
        "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)",
        "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
        "import os\nos.kill(os.getppid(), 9)",
        "import os\nos.execv('/bin/true', ['true'])",
    ],
)
def test_no_network_no_other_programs_no_signals(fence, program):
    if not fence.filtered:
        pytest.skip("the kernel of this machine cannot refuse calls")
    assert "PermissionError" in fence.run(program).why


def test_a_listening_server_is_not_reached(fence):
    import socket

    if not (fence.walls or fence.filtered):
        pytest.skip("nothing blocks the network on this machine")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not fence.run(
            f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)"
        ).passed


def test_files_elsewhere_cannot_be_written(fence, tmp_path):
    if not fence.walls:
        pytest.skip("no namespaces here")
    target = tmp_path / "soup.txt"
    target.write_text("mine")
    for way in ("open({!r}, 'w')", "import os; os.remove({!r})", "import os; os.chmod({!r}, 0)"):
        assert not fence.run(way.format(str(target))).passed
    assert target.read_text() == "mine"


def test_the_users_terminals_and_other_devices_are_not_there(fence):
    if not fence.walls:
        pytest.skip("no namespaces here")
    assert fence.devices, "this machine has walls, and mounts work in them"
    devices = ["null", "zero", "full", "random", "urandom"]
    program = (
        f"import os\nassert sorted(os.listdir('/dev')) == {sorted(devices)}, os.listdir('/dev')\n"
        "for name in ('tty', 'kmsg', 'pts/0', 'pts/ptmx', 'ptmx', 'console', 'shm/x'):\n"
        " for mode in (os.O_RDONLY, os.O_WRONLY):\n"
        "  try: os.open('/dev/' + name, mode)\n"
        "  except OSError: continue\n"
        "  raise AssertionError(name)\n"
        "for way in (lambda: open('/dev/mine', 'w'), lambda: os.remove('/dev/null')):\n"
        " try: way()\n except OSError: continue\n"
        " raise AssertionError('changed')\n"
    )
    verdict = fence.run(program)
    assert verdict.passed, verdict


def test_a_terminal_that_is_open_is_not_written_to(fence):
    if not fence.devices:
        pytest.skip("mounts do not work here")
    master, slave = os.openpty()
    try:
        name = os.ttyname(slave)
        assert "FileNotFoundError" in fence.run(f"open({name!r}, 'w').write('boo')").why
        assert not select.select([master], [], [], 0.1)[0]
    finally:
        os.close(master)
        os.close(slave)


def test_ordinary_devices_work(fence):
    program = (
        "import os, random\n"
        "open('/dev/null', 'w').write('x')\n"
        "assert open('/dev/null').read() == ''\n"
        "assert open('/dev/zero', 'rb').read(3) == bytes(3)\n"
        "assert len(open('/dev/urandom', 'rb').read(9)) == len(os.urandom(9)) == 9\n"
        "random.SystemRandom().random()\n"
        "import tempfile\ntempfile.TemporaryFile().write(b'x')\n"
    )
    verdict = fence.run(program)
    assert verdict.passed, verdict


def test_a_work_folder_below_dev(fence, monkeypatch):
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("no /dev/shm here")
    monkeypatch.setattr(module.tempfile, "tempdir", "/dev/shm")
    assert fence.run("open('own.txt', 'w').write('soup')").passed


def test_a_fence_says_what_it_does_not_hide(fence):
    assert fence.describe()["devices"] == ("own" if fence.devices else "NOT HIDDEN")
    assert Fence(False, False).describe()["devices"] == "NOT HIDDEN"


def test_a_home_without_python_in_it_looks_empty(monkeypatch, tmp_path):
    (tmp_path / "diary.txt").write_text("private")
    monkeypatch.setattr(module.Path, "home", classmethod(lambda cls: Path(tmp_path)))
    hidden = module._hideable()
    assert str(tmp_path) in hidden
    fence = find_fence(QUICK)
    if not fence.walls:
        pytest.skip("no namespaces here")
    seen = Fence(True, True, (str(tmp_path),), QUICK).run(
        f"import os\nassert not os.path.exists({str(tmp_path / 'diary.txt')!r}), 'seen'"
    )
    assert seen.passed, seen


def test_a_home_with_python_in_it_is_not_hidden(monkeypatch):
    home = Path(sys.base_prefix).parent
    monkeypatch.setattr(module.Path, "home", classmethod(lambda cls: home))
    assert str(home) not in module._hideable()


def test_a_flood_into_the_result_does_not_pass(fence):
    program = (
        "import os\nfor n in range(3, 64):\n try:\n"
        '  os.write(n, b\'{"token": "x", "passed": true, "why": ""}\\n\' * 999)\n'
        " except OSError: pass\nos._exit(0)"
    )
    assert not fence.run(program).passed


def test_a_sandbox_that_does_not_start_is_no_verdict(monkeypatch):
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    with pytest.raises(SandboxBroken, match="does not start"):
        Fence(False, False).run("x = 1")


def test_without_namespaces_limits_still_hold():
    plain = Fence(False, False, (), QUICK)
    assert plain.run("x = 1").passed
    assert "MemoryError" in plain.run("x = bytearray(1 << 33)").why
    assert not plain.run("while True: pass").passed
    assert not plain.run("import os\nos.fork()").passed or not find_fence(QUICK).filtered


@pytest.mark.shared_data
def test_reference_solutions_pass_and_broken_ones_do_not(shared_data):
    path = shared_data / "data/lm_eval/humaneval/HumanEval.jsonl.gz"
    problems = [json.loads(x) for x in gzip.decompress(path.read_bytes()).splitlines()][::20]
    for problem in problems:
        assert check(problem, problem["canonical_solution"]).passed, problem["task_id"]
        assert not check(problem, "    return None\n").passed, problem["task_id"]


def _processes() -> int:
    import psutil

    return len(psutil.Process().children(recursive=True))


def _sleepers() -> int:
    import psutil

    count = 0
    for process in psutil.process_iter():
        try:
            count += any("time.sleep(30)" in part for part in process.cmdline())
        except psutil.Error:
            continue
    return count
