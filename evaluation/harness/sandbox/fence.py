"""One program in a process of its own: started, bounded, killed, and what became of it."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mnpo.errors import UserError

_DRIVER = Path(__file__).with_name("driver.py")
#: More than the driver's two lines can take; whatever a program writes beyond is not read.
_MOST_READ = 8192


class SandboxBroken(UserError):
    """The sandbox itself does not work here. It says nothing about a program."""


@dataclass(frozen=True)
class Limits:
    """What one program may use.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of processor time, whole.
        memory: bytes of address space.
        files: bytes of one file, and of all where there are walls.
        processes: that may exist beside it where the kernel counts them.
    """

    wall: float = 6.0
    cpu: int = 3
    memory: int = 1 << 30
    files: int = 1 << 24
    processes: int = 16


@dataclass(frozen=True)
class Verdict:
    """What became of a program.

    Attributes:
        passed: it ran to its end without an error.
        why: what else it did: its error, "timed out", "killed by signal 9".
    """

    passed: bool
    why: str = ""


@dataclass(frozen=True)
class Fence:
    """What stands around a program on this machine.

    Attributes:
        walls: namespaces of its own (users, processes, network, mounts): no network, the disk
            read-only but for one small folder, all its processes end with it.
        filtered: the kernel refuses sockets, new processes and signals to others.
        hidden: folders that look empty to it; the user's home is one unless Python stands in it.
        limits: of each program.
        devices: it has a /dev of its own, without the user's terminals and the kernel's log.
    """

    walls: bool
    filtered: bool
    hidden: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    devices: bool = False

    def describe(self) -> dict[str, Any]:
        """JSON-ready, to be quoted with figures."""
        return {
            "namespaces": self.walls,
            "system_calls_filtered": self.filtered,
            "network": "none" if self.walls or self.filtered else "NOT BLOCKED",
            "devices": "own" if self.devices else "NOT HIDDEN",
            "hidden_folders": list(self.hidden),
            "limits": dict(vars(self.limits)),
        }

    def run(self, program: str) -> Verdict:
        """Run a program of Python text.

        Raises:
            SandboxBroken: it did not even start.
        """
        started, verdict = _run(self, program)
        if started is None:
            raise SandboxBroken(f"the sandbox does not start a program here ({verdict.why})")
        return verdict


@cache
def find_fence(limits: Limits | None = None) -> Fence:
    """The strongest fence that works here, tried out with a program that passes.

    Raises:
        SandboxBroken: none works.
    """
    limits = limits or Limits()
    why = ""
    for walls in (True, False):
        if walls and shutil.which("unshare") is None:
            continue
        fence = Fence(walls, False, _hideable() if walls else (), limits)
        started, verdict = _run(fence, "import math\nassert math.sqrt(4) == 2\n")
        if started is not None and verdict.passed:
            filtered, devices = bool(started["filtered"]), bool(started["devices"])
            return Fence(walls, filtered, fence.hidden, limits, devices)
        why = verdict.why
    raise SandboxBroken(f"no sandbox can be set up on this machine ({why})")


def _run(fence: Fence, program: str) -> tuple[dict[str, Any] | None, Verdict]:
    """The driver's first line, None where there was none, and the verdict."""
    token = secrets.token_hex(16)
    with _work_folder() as work:
        job = {
            "program": program,
            "token": token,
            "walls": fence.walls,
            "work": work,
            "hidden": fence.hidden,
            "files": fence.limits.files,
            "limits": _rlimits(fence),
        }
        process = subprocess.Popen(
            [*_prefix(fence), sys.executable, "-I", "-c", _DRIVER.read_text()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=work,
            env={},
            start_new_session=True,
        )
        late = False
        try:
            lines, late = _talk(process, json.dumps(job).encode(), fence.limits.wall)
        finally:
            _kill(process)
    told = [line for line in map(_parsed, lines) if line is not None and line["token"] == token]
    started = next((line for line in told if "started" in line), None)
    ended = next((line for line in told if "passed" in line), None)
    if ended is not None:
        return started, Verdict(bool(ended["passed"]), str(ended["why"]))
    if late:
        return started, Verdict(False, "timed out")
    code = process.returncode
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return started, Verdict(False, f"ended without a result ({how})")


def _talk(process: "subprocess.Popen[bytes]", job: bytes, wall: float) -> tuple[list[bytes], bool]:
    """Lines the process wrote before it ended, and whether it was too late."""
    import select

    assert process.stdin is not None
    assert process.stdout is not None
    end = time.monotonic() + wall
    try:
        process.stdin.write(job)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended at once; its exit code says so
    found = b""
    while len(found) < _MOST_READ:
        left = end - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            return found.split(b"\n"), True
        some = os.read(process.stdout.fileno(), _MOST_READ)
        if not some:
            break
        found += some
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return found.split(b"\n"), True
    return found.split(b"\n"), False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End the whole group; with walls the kernel then ends every process inside them."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            with suppress(BrokenPipeError):
                stream.close()


def _prefix(fence: Fence) -> list[str]:
    if not fence.walls:
        return []
    unshare = shutil.which("unshare") or "unshare"
    walls = ["--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [unshare, "--map-root-user", *walls]


def _rlimits(fence: Fence) -> dict[str, int]:
    limits = fence.limits
    # Within a user namespace only its own processes are counted, else all of the user's.
    others = 0 if fence.walls else _processes_of_user()
    return {
        "CPU": limits.cpu,
        "AS": limits.memory,
        "FSIZE": limits.files,
        "NPROC": others + limits.processes,
        "NOFILE": 64,
        "CORE": 0,
    }


def _processes_of_user() -> int:
    import psutil

    count = 0
    for process in psutil.process_iter():
        try:
            if process.uids().real == os.getuid():
                count += process.num_threads()
        except psutil.Error:
            continue
    return count


def _hideable() -> tuple[str, ...]:
    """The homes that hold nothing of the running Python."""
    needed = {Path(sys.executable), *map(Path, (sys.prefix, sys.base_prefix, *sys.path))}
    needed |= {path.resolve() for path in needed}
    homes = dict.fromkeys([Path.home(), Path("/home"), Path("/root")])
    return tuple(
        str(home)
        for home in homes
        if home.is_dir()
        and len(home.parts) > 1
        and not any(path.is_relative_to(home) for path in needed if path.is_absolute())
    )


@contextmanager
def _work_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="mnpo-sandbox-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "token" in found else None
