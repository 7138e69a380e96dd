"""What runs inside the fence: takes away what a program needs not, then runs it.

Its text is handed to ``python -I -c``, so it imports nothing but the standard library. It reads a
job from standard input, and writes a line when it starts a program and one when that has ended.
"""

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from typing import Any

_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x10000
#: (audit number of the architecture, clone, clone3, calls that are refused), by machine. Refused:
#: new processes and programs, sockets, signals to and memory of others, mounts and namespaces,
#: and what can do any of that on the side (io_uring, bpf).
_CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        435,
        "41 57 58 59 62 101 155 165 166 200 234 248 249 250 272 298 304 308 310 311 321 322 323 "
        "424 425 428 429 430 431 432 433 434 442",
    ),
    "aarch64": (
        0xC00000B7,
        220,
        435,
        "39 40 41 97 117 129 130 131 198 217 218 219 221 241 265 268 270 271 280 281 282 "
        "424 425 428 429 430 431 432 433 434 442",
    ),
}
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
#: What is left of /dev: without effect outside, and honest programs open them.
_DEVICES = ("null", "zero", "full", "random", "urandom")
_FLAGS = {
    "nosuid": _NOSUID,
    "nodev": _NODEV,
    "noexec": _NOEXEC,
    "noatime": 1024,
    "nodiratime": 2048,
    "relatime": 1 << 21,
}


def _hide_devices(libc: Any, work: str) -> bool:
    """Put a /dev of its own over the user's terminals and the kernel's log; whether that works."""
    if any(path.startswith("/dev/") for path in sys.path):
        return False  # Python itself stands there
    # Opened before they are covered, as places to bind from.
    there = [name for name in _DEVICES if os.path.exists("/dev/" + name)]
    held = {name: os.open("/dev/" + name, os.O_PATH) for name in there}
    flags = _NOSUID | _NODEV | _NOEXEC
    try:
        if libc.mount(b"tmpfs", b"/dev", b"tmpfs", flags, b"size=64k,mode=755") != 0:
            return False
        if work.startswith("/dev/"):
            os.makedirs(work)
        whole = True
        for name, number in held.items():
            place = "/dev/" + name
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
            source = b"/proc/self/fd/%d" % number
            whole &= libc.mount(source, os.fsencode(place), None, _BIND, None) == 0
        whole &= libc.mount(None, b"/dev", None, _REMOUNT | _BIND | _RDONLY | flags, None) == 0
    finally:
        for number in held.values():
            os.close(number)
    if not whole:  # half a /dev would let honest programs fail
        libc.umount2(b"/dev", 2)
    return bool(whole)


def _wall_in(libc: Any, work: str, hidden: list[str], size: int) -> bool:
    """Inside a mount namespace: everything read-only but an empty folder of bounded size.

    Says whether devices are hidden too.
    """
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split() for line in file]
    for fields in mounts:
        place = fields[4].encode().decode("unicode_escape").encode("latin-1")
        flags = sum(_FLAGS.get(name, 0) for name in fields[5].split(","))
        # A mount that cannot be changed (another file system's rule) stays as the user has it.
        libc.mount(None, place, None, _REMOUNT | _BIND | _RDONLY | flags, None)
    for folder in hidden:
        libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", _NOSUID | _NODEV, b"size=4k,ro")
    devices = _hide_devices(libc, work)
    options = b"size=%d,mode=700" % size
    if libc.mount(b"tmpfs", os.fsencode(work), b"tmpfs", _NOSUID | _NODEV, options) != 0:
        raise OSError("no tmpfs")
    os.chdir(work)
    return devices


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        which = getattr(resource, "RLIMIT_" + name, None)
        if which is None:
            continue
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            if name in ("CPU", "FSIZE"):
                raise  # others are refused by some systems (RLIMIT_AS on macOS)


def _filter_calls(libc: Any) -> bool:
    """Have the kernel refuse system calls; whether it does."""
    known = _CALLS.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return False
    audit, clone, clone3, refused = known
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000
    code = [
        (load, 0, 0, 4),
        (equal, 1, 0, audit),
        (answer, 0, 0, refuse | _EPERM),  # another architecture's numbers
        (load, 0, 0, 0),
        (0x35, 0, 1, 0x40000000),  # x32's numbers
        (answer, 0, 0, refuse | _ENOSYS),
        (equal, 0, 1, clone3),
        (answer, 0, 0, refuse | _ENOSYS),  # the C library then uses clone
    ]
    for number in map(int, refused.split()):
        code += [(equal, 0, 1, number), (answer, 0, 0, refuse | _EPERM)]
    code += [
        (equal, 0, 3, clone),
        (load, 0, 0, 16),  # flags
        (any_bit, 1, 0, _CLONE_THREAD),
        (answer, 0, 0, refuse | _EPERM),
        (answer, 0, 0, allow),
    ]
    text = b"".join(struct.pack("HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(text, len(text))
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(buffer))
    head = ctypes.create_string_buffer(program, len(program))
    no_new_rights, set_filter = 38, 22
    libc.prctl(no_new_rights, 1, 0, 0, 0)
    return bool(libc.prctl(set_filter, 2, ctypes.c_void_p(ctypes.addressof(head)), 0, 0) == 0)


def main() -> None:
    """Read a job, put up the fence, run its program, say how it ended."""
    job = json.load(sys.stdin)
    results = os.dup(1)
    libc = ctypes.CDLL(None, use_errno=True)
    devices = False
    if job["walls"]:
        devices = _wall_in(libc, job["work"], job["hidden"], job["files"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(results + 1, 256)
    sys.stdin = os.fdopen(0)
    _limit(job["limits"])
    filtered = _filter_calls(libc)

    def tell(**fields: Any) -> None:
        os.write(results, (json.dumps({"token": job["token"], **fields}) + "\n").encode())

    tell(started=True, filtered=filtered, devices=devices)
    passed, why = False, ""
    try:
        exec(compile(job["program"], "<program>", "exec"), {"__name__": "__main__"})
        passed = True
    except BaseException as error:  # SystemExit too: a program that leaves has not passed
        try:
            why = (type(error).__name__ + ": " + str(error))[:300]
        except BaseException:
            why = "an error that cannot be shown"
    tell(passed=passed, why=why)
    os._exit(0)


if __name__ == "__main__":
    main()
