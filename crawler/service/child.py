"""A crawl that nobody watches: a process of its own, whose end is told, and the archive's upkeep after it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock

from crawler import clock
from crawler.exit_codes import FORCED, INTERRUPTED, MEANINGS, in_words
from crawler.service.schedule import last_run


def say(sentence: str) -> None:
    """A line on standard output: when, in local time, and what."""
    with suppress(OSError):  # a terminal that is gone is no reason to stop
        print(f"{clock.now().astimezone():%Y-%m-%d %H:%M:%S %Z}  {sentence}", flush=True)  # noqa: T201


class Crawls:
    """Crawls of one archive with the same options, one after another."""

    def __init__(self, data: Path, options: Sequence[str]) -> None:
        """`options`: seeds and options of `alsoread crawl`."""
        self.data = data
        self.interrupted = 0
        """The exit code of a crawl that `stop` interrupted; 0 where there was none to interrupt."""
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.stopping = False
        self._lock = RLock()  # a signal's handler takes it too, while another's may hold it

    def stop(self) -> None:
        """Starts no process any more, and tells the one that runs to end; once more: to end at once."""
        with self._lock:
            self.stopping = True
            if self._process:
                self._process.terminate()

    def crawl(self) -> int:
        """Runs a crawl, tells how it ended, and has the archive maintained when that is due.

        Returns the crawl's exit code; below 0 the signal that killed it.
        """
        crawl = self._run("crawler", "crawl", *self._options, "--data", str(self.data), "--quiet")
        if crawl is None:
            return 0
        code, number = crawl.returncode, self._number(crawl.pid)
        ended = f"{f'Crawl {number}' if number else 'The crawl'} {in_words(code)}."
        say(ended)
        if self.stopping:
            self.interrupted = code if code in (0, FORCED) else INTERRUPTED
        elif number is None or code not in MEANINGS:
            self._alarm(ended)  # it could not tell anybody itself
        if number:
            self._maintain()
        return code

    def _maintain(self) -> None:
        upkeep = self._run("crawler", "maintain", "--data", str(self.data), "--if-due")
        if upkeep and upkeep.returncode and not self.stopping:
            ended = f"`alsoread maintain` {in_words(upkeep.returncode)}."
            say(ended)
            self._alarm(ended)

    def _number(self, pid: int) -> int | None:
        """The number of the crawl that a process was, if it got as far as to have one."""
        with suppress(sqlite3.Error):
            last = last_run(self.data)
            return last.number if last and last.pid == pid else None
        return None

    def _alarm(self, sentence: str) -> None:
        """Tells those who are to be told of alarms, and whoever reads standard error."""
        with suppress(OSError):
            print(f"alsoread: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
        text = f"{sentence}\nThe archive: {self.data.resolve()}\nIts logs: {self.data.resolve() / 'logs'}\n"
        self._run(
            "crawler.reports.notify", str(self.data), "alsoread: a scheduled run needs a look", text=text
        )

    def _run(self, *command: str, text: str = "") -> subprocess.Popen[str] | None:
        """A module of ours as a process that has ended; None where none is to start any more."""
        with self._lock:
            if self.stopping:
                return None
            # In a session of its own Ctrl-C does not reach it: it would stop twice, by that and by us.
            process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", *command], stdin=subprocess.PIPE, text=True, start_new_session=True
            )
            self._process = process
        process.communicate(text)
        with self._lock:
            self._process = None
        return process
