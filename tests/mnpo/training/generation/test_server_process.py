"""Servers that behave, that never start, that die, that do not want to end: small programs."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from mnpo.errors import UserError
from mnpo.training.generation.server_process import run_server

HEALTHY = """
import http.server, os, subprocess, sys
children = open({pids!r}, "w")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, file=children, flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *args): pass
{extra}
print("serving", sys.argv[1], file=sys.stderr, flush=True)
http.server.HTTPServer((sys.argv[2], int(sys.argv[3])), Handler).serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture
def server(tmp_path):
    def make(extra: str = "") -> tuple[list[str], Path]:
        pids = tmp_path / "pids"
        program = tmp_path / "server.py"
        program.write_text(HEALTHY.format(pids=str(pids), extra=extra))
        return [sys.executable, str(program), "{model}", "{host}", "{port}"], pids

    return make


def options(**changes):
    return {"health": "/health", "start_timeout": 20.0, "stop_timeout": 5.0, **changes}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pids: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    numbers = [int(pid) for pid in pids.read_text().split()]
    assert len(numbers) == 2
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in numbers):
            return True
        time.sleep(0.02)
    return False


def test_the_server_and_its_children_live_as_long_as_the_block(server):
    command, pids = server()
    with run_server(command, Path("a model"), **options()) as running:
        running.require_alive()
        assert running.last_line() == "serving a model"
        assert all(alive(int(pid)) for pid in pids.read_text().split())
    assert gone_within(pids, 1)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_ends_on_exceptions_and_ctrl_c(server, error):
    command, pids = server()
    with pytest.raises(error), run_server(command, Path("m"), **options()):
        raise error
    assert gone_within(pids, 1)


def test_a_server_that_ignores_the_request_to_end_is_killed(server):
    command, pids = server(STUBBORN)
    start = time.monotonic()
    with run_server(command, Path("m"), **options(stop_timeout=0.3)):
        pass
    assert gone_within(pids, 1)
    assert time.monotonic() - start < 15


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_this_process_is_killed(server, tmp_path, kill):
    command, pids = server()
    program = textwrap.dedent(f"""
        from pathlib import Path
        from mnpo.training.generation.server_process import run_server
        with run_server({command!r}, Path("m"), health="/health", start_timeout=20):
            print("ready", flush=True)
            import time; time.sleep(600)
    """)
    root = Path(__file__).resolve().parents[4]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout.readline() == "ready\n"
        os.kill(parent.pid, kill)
    assert gone_within(pids, 5)


def test_a_server_that_dies_at_the_start_is_quoted():
    command = [sys.executable, "-c", "raise SystemExit('no such model: {model}')"]
    with (
        pytest.raises(UserError, match=r"ended by itself with code 1.*no such model: /x/y"),
        run_server(command, Path("/x/y"), **options()),
    ):
        pass


def test_a_server_that_never_gets_ready_is_given_up_and_ended(server):
    command, pids = server()
    with (
        pytest.raises(UserError, match=r"did not answer at .*/elsewhere within 1 s.*serving m"),
        run_server(command, Path("m"), **options(health="/elsewhere", start_timeout=1.0)),
    ):
        pass
    assert gone_within(pids, 1)


def test_a_server_that_dies_later_is_noticed(server):
    command, pids = server()
    with run_server(command, Path("m"), **options()) as running:
        os.kill(int(pids.read_text().split()[0]), signal.SIGKILL)
        running._process.wait(5)
        with pytest.raises(UserError, match="ended by itself with code -9"):
            running.require_alive()
    assert gone_within(pids, 1)


def test_a_missing_program_is_named():
    with (
        pytest.raises(UserError, match="cannot start 'no-such-server'"),
        run_server(["no-such-server"], Path("m"), **options()),
    ):
        pass


def test_braces_of_other_meaning_stay(tmp_path):
    seen = tmp_path / "arguments"
    program = f"import sys; open({str(seen)!r}, 'w').write(sys.argv[1])"
    with (
        pytest.raises(UserError),
        run_server([sys.executable, "-c", program, '{"a": "{model}"}'], Path("m"), **options()),
    ):
        pass
    assert seen.read_text() == '{"a": "m"}'
