"""Run a crawl in a process of its own, report how it ended, and have the archive maintained after it."""

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
from crawler.service.schedule import last_crawl


def print_line(sentence: str) -> None:
    """Print a sentence with the local time before it; ignore a closed standard output."""
    with suppress(OSError):
        print(f"{clock.now().astimezone():%Y-%m-%d %H:%M:%S %Z}  {sentence}", flush=True)  # noqa: T201


class CrawlRunner:
    """Runs crawls of one archive with the same options, one after another."""

    def __init__(self, data: Path, options: Sequence[str]) -> None:
        """`options`: seeds and options of `alsoread crawl`."""
        self.data = data
        self.is_stopping = False
        self.interrupted_exit_code = 0
        """The exit code of the crawl that `stop` interrupted; 0 if it interrupted none."""
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._lock = RLock()  # a signal's handler takes it, perhaps while another one has it

    def stop(self) -> None:
        """Start no more processes, and terminate the running one: gracefully, the second time at once."""
        with self._lock:
            self.is_stopping = True
            if self._process:
                self._process.terminate()

    def run(self) -> int:
        """Run a crawl, report how it ended, and have the archive maintained if that is due.

        Returns the crawl's exit code; below 0 the signal that killed it. Raises OSError if it can't be started.
        """
        process = self._run("crawler", "crawl", *self._options, "--data", str(self.data), "--quiet")
        if process is None:
            return 0
        exit_code, number = process.returncode, self._crawl_number(process.pid)
        ending = f"{f'Crawl {number}' if number else 'The crawl'} {in_words(exit_code)}."
        print_line(ending)
        if self.is_stopping:
            self.interrupted_exit_code = exit_code if exit_code in (0, FORCED) else INTERRUPTED
        elif number is None or exit_code not in MEANINGS:
            self._alarm(ending)  # the crawl itself could not notify anybody
        if number:
            self._maintain()
        return exit_code

    def _maintain(self) -> None:
        process = self._run("crawler", "maintain", "--data", str(self.data), "--if-due")
        if process and process.returncode and not self.is_stopping:
            ending = f"`alsoread maintain` {in_words(process.returncode)}."
            print_line(ending)
            self._alarm(ending)

    def _crawl_number(self, pid: int) -> int | None:
        """Return the number of the crawl that ran in a process; None if it ended before it had one."""
        with suppress(sqlite3.Error):
            last = last_crawl(self.data)
            return last.number if last and last.pid == pid else None
        return None

    def _alarm(self, sentence: str) -> None:
        """Notify those who get alarms, and print to standard error."""
        with suppress(OSError):
            print(f"alsoread: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
        archive = self.data.resolve()
        text = f"{sentence}\nArchive: {archive}\nLogs: {archive / 'logs'}\n"
        title = "alsoread: a scheduled run needs attention"
        self._run("crawler.reports.notify", str(self.data), title, text=text)

    def _run(self, *command: str, text: str = "") -> subprocess.Popen[str] | None:
        """Run a module of this program and wait for its end. Returns None, without a start, when stopping."""
        with self._lock:
            if self.is_stopping:
                return None
            # In its own session it gets no Ctrl-C from the terminal, which would be a second signal beside ours.
            process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", *command], stdin=subprocess.PIPE, text=True, start_new_session=True
            )
            self._process = process
        process.communicate(text)
        with self._lock:
            self._process = None
        return process
