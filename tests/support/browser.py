"""A headless Chromium that loads pages, by the DevTools protocol over pipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from select import select
from typing import Any, NamedTuple, Self

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="Chromium is not installed: the Debian package is chromium"
)
_PATIENCE_SECONDS = 60
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server")
_WITH_PIPES = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, pipe in enumerate(pipes, 3):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts Chromium with the pipes that it reads from and writes to as its files 3 and 4."""
_SHOWN = """[
  document.body.innerText,
  document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.preloader')?.className ?? null
]"""


class Load(NamedTuple):
    """What a page did while it was loaded."""

    requests: list[str]
    """Addresses that were asked for."""
    problems: list[str]
    """Errors and warnings of its console and its scripts, and what its policy refused."""


class Browser:
    """Loads pages in a profile of its own."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def __enter__(self) -> Self:
        in_, self._to = os.pipe()
        self._from, out = os.pipe()
        command = [str(CHROMIUM), *_OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WITH_PIPES, str(in_), str(out), *command, "about:blank"],
            pass_fds=(in_, out),
            stderr=subprocess.DEVNULL,
        )
        os.close(in_)
        os.close(out)
        self._numbers = count(1)
        self._read = b""
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable", self._session)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        self._process.kill()
        self._process.wait()
        os.close(self._from)

    def shown(self, url: str) -> tuple[str, str | None]:
        """Load a page; return the text that is displayed, and the class of what covers its middle, if a preloader."""
        self._call("Page.navigate", self._session, url=url)
        while self._message().get("method") != "Page.loadEventFired":
            pass
        text, cover = self.evaluate(_SHOWN)
        return text, cover

    def load(self, url: str, *, scripts: bool = True) -> Load:
        """Load a page, with or without its scripts; return what it did until all of them had run."""
        self._call("Emulation.setScriptExecutionDisabled", self._session, value=not scripts)
        self._events.clear()
        self.shown(url)
        asked = [
            event["params"] for event in self._events if event.get("method") == "Network.requestWillBeSent"
        ]
        said = [
            event["params"]
            for event in self._events
            if event.get("method")
            in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        ]
        return Load([params["request"]["url"] for params in asked], [json.dumps(params) for params in said])

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        answer = self._call("Runtime.evaluate", self._session, expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer to a place of the window."""
        self._call("Input.dispatchMouseEvent", self._session, type="mouseMoved", x=x, y=y)

    def _call(self, method: str, session: str | None = None, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select([self._from], [], [], _PATIENCE_SECONDS)
            data = os.read(self._from, 1 << 16) if ready else b""
            assert data, "Chromium ended, or says nothing"
            self._read += data
        message, _, self._read = self._read.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        self._events.append(parsed)
        return parsed
