"""Run the service: start crawls as the plan says, one at a time, until a signal ends it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Thread

from crawler import clock, shutdown
from crawler.service.child import CrawlRunner, print_line
from crawler.service.schedule import Plan, last_crawl, local_time
from crawler.text import counted

_CLOCK_CHECK_SECONDS = 60.0
"""The longest wait: one does not count the time that the machine is asleep, so the clock is read again."""


def run_once(plan: Plan, runner: CrawlRunner) -> int:
    """Run one crawl if one is due. Returns its exit code, below 0 the signal that killed it; 0 if none is due.

    Raises sqlite3.Error if the archive can't be read.
    """
    now = clock.now()
    start, reason = plan.first_start(last_crawl(runner.data), now)
    if start > now:
        print_line(f"Nothing is due. The next crawl: {local_time(start)}.")
        return 0
    print_line(reason)
    with shutdown.steps(then=runner.stop):
        return runner.run()


def serve(plan: Plan, runner: CrawlRunner) -> int:
    """Start crawls until a signal arrives. Returns the exit code of the crawl that it interrupted, or 0.

    Raises sqlite3.Error if the archive can't be read at the start.
    """
    start, reason = plan.first_start(last_crawl(runner.data), clock.now())
    if reason:
        print_line(reason)
    service = _Service(plan, runner, start)
    with shutdown.steps(then=service.stop):
        service.run()
    return runner.interrupted_exit_code


class _Service:
    def __init__(self, plan: Plan, runner: CrawlRunner, start: datetime) -> None:
        self._plan, self._runner = plan, runner
        self._next_start = start
        # A signal's handler may put into it while the same thread waits; the lock of an Event would not let it.
        self._stops: SimpleQueue[None] = SimpleQueue()

    def stop(self) -> None:
        self._runner.stop()
        self._stops.put(None)

    def run(self) -> None:
        crawl = Thread(target=self._crawl)
        self._announce()
        while self._wait_for_start():
            due, now = self._next_start, clock.now()
            missed = self._plan.count_missed(due, now)
            self._next_start = self._plan.start_after(now if missed else due)
            if crawl.is_alive():
                print_line("Skipped a scheduled crawl: the previous one is still running.")
                continue
            if missed:
                print_line(
                    f"Missed {counted(missed, 'scheduled crawl')} while the machine was asleep; running one now."
                )
            crawl = Thread(target=self._crawl)
            crawl.start()
        print_line("Stopping.")
        if crawl.is_alive():
            crawl.join()

    def _wait_for_start(self) -> bool:
        """Wait until the next start. Returns False as soon as a signal asks the service to stop."""
        while not self._runner.is_stopping:
            seconds = (self._next_start - clock.now()).total_seconds()
            if seconds <= 0:
                return True
            with suppress(Empty):
                self._stops.get(timeout=min(seconds, _CLOCK_CHECK_SECONDS))
        return False

    def _crawl(self) -> None:
        try:
            self._runner.run()
        except OSError as error:
            print_line(f"The crawl could not be started: {error}.")
        if not self._runner.is_stopping:
            self._announce()

    def _announce(self) -> None:
        print_line(f"The next crawl: {local_time(self._next_start)}.")
