"""A headless Chromium, driven over its own protocol: what a page shows, says and asks for.

One browser serves many tests; nothing but the browser is needed, and no network.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name))
    ),
    None,
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--hide-scrollbars --remote-debugging-pipe"
).split()
#: Chromium reads its commands from descriptor 3 and answers on 4.
LAUNCH = (
    "import fcntl, os, sys\n"
    "ends = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]]\n"
    "for end, place in zip(ends, (3, 4)): os.dup2(end, place)\n"
    "os.execv(sys.argv[3], sys.argv[3:])"
)
Message = dict[str, Any]


class Page:
    """One tab: what it said (`console`), and which addresses it asked for (`requests`)."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self.browser, self.session = browser, session
        self.console: list[str] = []
        self.requests: list[str] = []
        self.loaded = False

    def call(self, method: str, **parameters: Any) -> Message:
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression: str) -> Any:
        """Of a JavaScript expression within the page."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Of the whole page, as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(b64decode(answer["data"]))

    def heard(self, message: Message) -> None:
        method, said = message["method"], message["params"]
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(said["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.console.append(json.dumps(said["args"]))
        elif method == "Log.entryAdded":
            self.console.append(said["entry"]["text"])


class Browser:
    """The process; a context manager."""

    def __enter__(self) -> "Browser":
        assert CHROMIUM
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-S", "-c", LAUNCH, str(theirs_in), str(theirs_out), CHROMIUM),
                *(*FLAGS, f"--user-data-dir={self.profile}", "about:blank"),
            ],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.commands, self.answers = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self.pages: dict[str, Page] = {}
        self.number, self.rest = 0, b""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.commands.close()
        self.answers.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(
        self, path: Path, *, width: int = 1280, dark: bool = False, scripts: bool = True
    ) -> Page:
        """A new tab, as wide as told (a phone's width too), once the page is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        page.loaded = False
        page.call("Page.navigate", url=path.as_uri())
        while not page.loaded:
            self.hear()
        return page

    def call(self, method: str, session: str = "", **parameters: Any) -> Message:
        """Send a command and wait for its answer."""
        self.number += 1
        command: Message = {"id": self.number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        self.commands.write(json.dumps(command).encode() + b"\0")
        self.commands.flush()
        while (message := self.hear()).get("id") != self.number:
            pass
        assert "error" not in message, message["error"]
        answer: Message = message["result"]
        return answer

    def hear(self) -> Message:
        """The next message; events go to their page."""
        while b"\0" not in self.rest:
            part = os.read(self.answers.fileno(), 1 << 20)
            assert part, "the browser ended"
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\0")
        message: Message = json.loads(line)
        if "method" in message and message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].heard(message)
        return message
