"""A server program that lives exactly as long as a ``with`` block."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO

from mnpo.errors import UserError

HOST = "127.0.0.1"

#: Waits until the parent is gone, however it went (its end of the pipe closes), and then ends the
#: server's group. A block that ends in order needs no guard; SIGKILL leaves no other way.
_GUARD = "cat > /dev/null; kill -s TERM -- -$0; sleep 10; kill -s KILL -- -$0"


class ServerProcess:
    """A running server.

    Attributes:
        url: base address without a trailing slash, e.g. ``http://127.0.0.1:40123``.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, output: IO[bytes]) -> None:
        self.url = url
        self._process = process
        self._output = output

    def require_alive(self) -> None:
        """Nothing where the server runs.

        Raises:
            UserError: it ended; with its exit code and the last line that it wrote.
        """
        code = self._process.poll()
        if code is not None:
            raise UserError(
                f"the server ended by itself with code {code}; its last line: {self.last_line()}"
            )

    def last_line(self) -> str:
        """The last line with text in it that the server wrote to stdout or stderr."""
        self._output.flush()
        size = os.fstat(self._output.fileno()).st_size
        # pread: the server appends through the same open file
        tail = os.pread(self._output.fileno(), 8192, max(0, size - 8192))
        lines = [line.strip() for line in tail.decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "(none)")


@contextmanager
def run_server(
    command: Sequence[str],
    model: Path,
    *,
    health: str,
    start_timeout: float,
    stop_timeout: float = 10.0,
) -> Iterator[ServerProcess]:
    """Start a server, wait until it is ready, and end it with the block, whatever happens.

    The server gets a process group of its own: Ctrl-C reaches it only through the end of the
    block, and the end of the block reaches its children too. Where this process is killed and has
    no chance to clean up, a guard process ends the group.

    Args:
        command: program and arguments; ``{model}``, ``{host}`` and ``{port}`` are filled in, the
            port with one that is free.
        model: directory of the checkpoint.
        health: path that answers 200 when the server is ready.
        start_timeout: seconds to wait for that.
        stop_timeout: seconds between asking the server to end and killing it.

    Raises:
        UserError: the program is missing, ended before it was ready, or was not ready in time.
    """
    port = _free_port()
    filled = [
        _fill(part, {"model": str(model), "host": HOST, "port": str(port)}) for part in command
    ]
    url = f"http://{HOST}:{port}"
    with tempfile.TemporaryFile() as output:
        process = _start(filled, output)
        guard: subprocess.Popen[bytes] | None = None
        try:
            guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, str(process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            server = ServerProcess(process, url, output)
            _wait_until_ready(server, url + health, start_timeout)
            yield server
        finally:
            _stop(process, guard, stop_timeout)


def _fill(part: str, values: dict[str, str]) -> str:
    for name, value in values.items():  # not str.format: arguments may hold JSON's braces
        part = part.replace("{" + name + "}", value)
    return part


def _start(command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise UserError(
            f"sampling.server.command: cannot start '{command[0]}' ({error.strerror}); give the "
            "program's full path or install it"
        ) from None


def _wait_until_ready(server: ServerProcess, url: str, timeout: float) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback: no proxy
    deadline = time.monotonic() + timeout
    pause = 0.05
    while True:
        server.require_alive()
        left = deadline - time.monotonic()
        if left <= 0:
            raise UserError(
                f"the server did not answer at {url} within {timeout:g} s; its last line: "
                f"{server.last_line()}; raise sampling.server.start_timeout or check "
                "sampling.server.health"
            )
        # not listening yet, or answering that it is not ready: both are what the waiting is for
        with (
            suppress(OSError, HTTPException),
            opener.open(url, timeout=min(left, 5.0)) as reply,
        ):
            if reply.status == 200:
                return
        time.sleep(min(pause, max(left, 0)))
        pause = min(2 * pause, 1.0)


def _stop(
    process: subprocess.Popen[bytes], guard: subprocess.Popen[bytes] | None, timeout: float
) -> None:
    try:
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
            process.wait(timeout)
    except subprocess.TimeoutExpired:
        pass  # asked in vain; the next lines do not ask
    finally:
        if guard is not None:  # first: the group's number may be given away once it is empty
            _signal_group(guard.pid, signal.SIGKILL)
            guard.communicate()
        _signal_group(process.pid, signal.SIGKILL)  # children that outlived the server, too
        process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # everyone has gone already
        os.killpg(group, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
