"""A small chat-completions server for the command line's tests: one answer, exact counts."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JudgeServer:
    """Answers every question with ``say(text)``; use as a context manager.

    Attributes:
        asked: how often each text was asked.
        headers, bodies: of every request.
        url: its address, ending in /v1.
    """

    def __init__(
        self,
        say: Callable[[str], str],
        *,
        pause: float = 0.0,
        finish: str = "stop",
        refuse: frozenset[str] | set[str] = frozenset(),
    ) -> None:
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict] = []
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                text = body["messages"][-1]["content"]
                time.sleep(pause)
                message = {"role": "assistant", "content": say(text)}
                made = {
                    "choices": [{"index": 0, "finish_reason": finish, "message": message}],
                    "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
                }
                status = 400 if text in refuse else 200
                data = json.dumps({"error": {"message": "no"}} if text in refuse else made).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                    self.wfile.flush()
                except OSError:
                    return  # the asker was killed: not an answer that it had
                with lock:
                    outer.asked[text] += 1
                    outer.headers.append(dict(self.headers))
                    outer.bodies.append(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "JudgeServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
