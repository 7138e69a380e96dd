"""A small registry of invented benchmarks, files for it, and a server that has them and faults."""

import gzip
import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from evaluation.data.catalog import Catalog
from mnpo.validation import check

QUESTIONS = b'{"id": 1, "text": "Which way to the harbour?"}\n' * 400
PROMPT = b"Say which answer you like.\n"
PARTS = {"one/set.json": b'[{"x": 1}]', "two/set.json": b'[{"x": 2}]'}
REBUILT = b"x\n1\n2\n"
SOURCE = "https://files.example.org/repo/abc/"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def registry():
    questions = {
        "name": "question.jsonl",
        "url": f"{SOURCE}data/question.jsonl",
        "sha256": sha(QUESTIONS),
        "bytes": len(QUESTIONS),
        "paths": ["data/toy/question.jsonl", "toy/question.jsonl", "question.jsonl"],
    }
    parts = [
        {"name": name, "url": f"{SOURCE}sets/{name}", "paths": [f"sets/{name}"]} for name in PARTS
    ]
    rebuilt = {
        "name": "rebuilt.csv",
        "sha256": sha(REBUILT),
        "bytes": len(REBUILT),
        "paths": ["toy/rebuilt.csv"],
    }
    official = {
        "name": "table.csv",
        "url": f"{SOURCE}table.csv",
        "sha256": sha(b"x\n1\n3\n"),
        "paths": ["toy/table.csv"],
    }
    own = {"name": "own.jsonl", "paths": ["toy/own.jsonl"]}
    return check(
        Catalog,
        {
            "version": 1,
            "benchmarks": {
                "inside": {"title": "Inside", "licence": "MIT", "built_in": True, "roles": {}},
                "toy": {
                    "title": "Toy",
                    "licence": "CC BY-NC 4.0",
                    "roles": {
                        "questions": {
                            "what": "questions",
                            "variants": [{"form": "official", "files": [questions]}],
                        },
                        "table": {
                            "what": "a table",
                            "licence": "MIT",
                            "variants": [
                                {"form": "official", "files": [official]},
                                {"form": "reconstructed", "note": "by us", "files": [rebuilt]},
                            ],
                        },
                        "own": {
                            "what": "yours",
                            "optional": True,
                            "variants": [{"form": "own", "files": [own]}],
                        },
                    },
                },
                "sets": {
                    "title": "Sets",
                    "licence": "MIT",
                    "folder_of_roles": True,
                    "roles": {
                        "pairs": {
                            "what": "two sets",
                            "variants": [{"form": "official", "folder": True, "files": parts}],
                        }
                    },
                },
            },
        },
    ).benchmarks


def use_registry(monkeypatch):
    found = registry()
    for module in ("catalog", "listing"):
        monkeypatch.setattr(f"evaluation.data.{module}.catalog", lambda: found)
    return found


def write_official(folder, *, zipped=False):
    """The official layout, all of it."""
    files = {"data/toy/question.jsonl": QUESTIONS, "toy/table.csv": b"x\n1\n3\n"}
    files |= {f"sets/{name}": data for name, data in PARTS.items()}
    for name, data in files.items():
        path = folder / (f"{name}.gz" if zipped else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data, mtime=7) if zipped else data)
    return folder


class Files:
    """What the server has and how it misbehaves; what it was asked for."""

    def __init__(self):
        self.data = {
            "/files.example.org/repo/abc/data/question.jsonl": QUESTIONS,
            "/files.example.org/repo/abc/table.csv": b"x\n1\n3\n",
        } | {f"/files.example.org/repo/abc/sets/{n}": data for n, data in PARTS.items()}
        self.asked = []
        self.cut_after = []  # bytes after which each of the next connections breaks
        self.statuses = []  # answers to the next requests before it serves again
        self.redirect = {}
        self.ranges = True
        self.announce = True
        self.hang = None


@contextmanager
def serving(files):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            files.asked.append((self.path, self.headers.get("Range")))
            if files.hang is not None:
                files.hang.wait(10)
                return
            if files.statuses:
                self.send_response(files.statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if self.path in files.redirect:
                self.send_response(302)
                self.send_header("Location", files.redirect[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if self.path not in files.data:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data, start = files.data[self.path], 0
            if files.ranges and (wanted := self.headers.get("Range")):
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start and start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            if files.announce:
                self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            body = data[start:]
            if files.cut_after:
                body = body[: files.cut_after.pop(0)]
            self.wfile.write(body)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
