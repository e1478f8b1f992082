"""Commands that get signals at random moments, from the first on at which they handle any."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from time import monotonic
from typing import NamedTuple

from pipelines.archive.connection import open_readonly
from tests.support.archives import damage

SILENT = "https://one.techidaily.com/silent/"
"""A page of a hostile server that is never answered."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED, FORCED = 11, 13
_PATIENCE = 120.0
"""Seconds that a command and its processes may take."""
_LOOK = 0.002
"""Seconds between two looks at whether a command handles signals."""
_APART = 1.5
"""Seconds within which a second signal follows the first, where one does."""


class Interruption(NamedTuple):
    """How a command ended that got signals."""

    code: int
    said: str
    signals: int
    """How many were sent before it ended."""


def start(*args: str | Path, by: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A command in a group of its own. Its processes share its output, which so ends with the last of them.

    A signal may come between the opening of a file and the block that closes it, as Python itself loads a module.
    """
    unclosed = [
        f"ignore:unclosed file <_io.{kind} name=:ResourceWarning" for kind in ("FileIO", "BufferedReader")
    ]
    warnings = [word for each in ("error", *unclosed) for word in ("-W", each)]
    return subprocess.Popen(
        [*by, sys.executable, *warnings, "-m", "crawler", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def interrupt(process: subprocess.Popen[str], random: Random, *, within: float, twice: bool) -> Interruption:
    """Sends one or two signals to a command or to all its processes, the first within so many seconds."""
    _wait_until_handled(process)
    delays = [random.uniform(0, within)] + [random.uniform(0, _APART)] * twice
    sent = 0
    for delay in delays:
        number, to_all = random.choice(SIGNALS), random.random() < 0.5
        if _ends(process, within=delay):
            break
        (os.killpg if to_all else os.kill)(process.pid, number)
        sent += 1
    try:
        said, _ = process.communicate(timeout=_PATIENCE)
    finally:
        process.kill()  # one that did not end would go on for ever
    return Interruption(process.returncode, said, sent)


def faults(ended: Interruption, finished: Sequence[int], data: Path) -> list[str]:
    """What is wrong with how a command ended, and with its archive; `finished`: exit codes of one that is done."""
    allowed = {*finished, *([INTERRUPTED] if ended.signals else []), *([FORCED] if ended.signals > 1 else [])}
    found = (
        []
        if ended.code in allowed
        else [f"exit code {ended.code} after {ended.signals} signals: {ended.said}"]
    )
    if "Traceback" in ended.said or "Exception ignored" in ended.said:
        found.append(ended.said)
    if ended.code in (INTERRUPTED, FORCED) and not ended.said.strip():
        found.append(f"exit code {ended.code} without a word")
    return [*found, *damage(data)]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not condition():
        assert monotonic() < deadline


def outcome(data: Path) -> tuple[str, int, int]:
    """How the last crawl ended, how many pages have an answer, and how many articles there are."""
    with closing(open_readonly(data / "archive.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        ending = db.execute("SELECT outcome FROM crawls ORDER BY id DESC LIMIT 1").fetchone()[0]
        answered = db.execute("SELECT count(*) FROM pages WHERE status IS NOT NULL").fetchone()[0]
        return ending, answered, db.table("articles").count


def _wait_until_handled(process: subprocess.Popen[str]) -> None:
    """Waits until the kernel says that the command has a handler: before that Python itself is starting."""
    bit = 1 << (signal.SIGTERM - 1)
    while not _ends(process, within=_LOOK):
        status = Path(f"/proc/{process.pid}/status").read_text()
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        if int(caught, 16) & bit:
            return


def _ends(process: subprocess.Popen[str], within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True
