"""The service: starts crawls when the plan says so, one at a time, until a signal ends it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from crawler import clock, shutdown
from crawler.service.child import Crawls, say
from crawler.service.schedule import Plan, last_run, runs_were, shown


def once(plan: Plan, crawls: Crawls) -> int:
    """Makes up what is due now. Returns the crawl's exit code, below 0 the signal that killed it; 0 where nothing
    is due. Raises sqlite3.Error.
    """
    now = clock.now()
    start, reason = plan.first_start(last_run(crawls.data), now)
    if start > now:
        say(f"Nothing is due. The next crawl: {shown(start)}.")
        return 0
    say(reason)
    with shutdown.steps(then=crawls.stop):
        return crawls.crawl()


def serve(plan: Plan, crawls: Crawls) -> int:
    """Starts crawls until a signal ends it. Returns the exit code of the crawl that was interrupted, or 0.

    Raises sqlite3.Error where the archive can't be read at the start.
    """
    now, last = clock.now(), last_run(crawls.data)
    start, reason = plan.first_start(last, now)
    if reason:
        say(reason)
    service = _Service(plan, crawls, last.started_at if last and not reason else now)
    signals: SimpleQueue[None] = SimpleQueue()  # a handler may put into it at any moment

    def stop() -> None:
        crawls.stop()
        signals.put(None)

    with shutdown.steps(then=stop):
        service.start(start)
        signals.get()
        service.end()
    return crawls.interrupted


class _Starts(BaseTrigger):  # type: ignore[misc]
    """The plan's starts for the scheduler, which goes by the machine's clock."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The start that follows the one before."""
        return self._plan.start_after((previous or now) + clock.AHEAD) - clock.AHEAD


class _Service:
    def __init__(self, plan: Plan, crawls: Crawls, last_start: datetime) -> None:
        self._plan, self._crawls, self._last_start = plan, crawls, last_start
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what matters comes as an event
        # Without a grace time no start is dropped that was missed, and coalesced they are made up once.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self, first: datetime) -> None:
        """Starts the first crawl at its time, and the others at theirs."""
        add = self._scheduler.add_job
        self._job = add(self._crawl, _Starts(self._plan), next_run_time=first - clock.AHEAD)
        # The scheduler's wait does not count the time that the machine sleeps: waking up, it looks at the clock.
        add(lambda: None, "interval", minutes=1)
        self._scheduler.add_listener(self._left_out, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._broke, EVENT_JOB_ERROR)
        self._scheduler.start()
        say(f"The next crawl: {shown(first)}.")

    def end(self) -> None:
        """Waits for the crawl that ends, and starts no other."""
        say("Stopping.")
        self._scheduler.shutdown()

    def _crawl(self) -> None:
        missed = self._plan.missed(self._last_start, now := clock.now()) - 1
        self._last_start = now
        if missed > 0:
            say(f"{runs_were(missed)} missed, as the machine slept: one makes up for all.")
        self._crawls.crawl()
        if not self._crawls.stopping:
            say(f"The next crawl: {shown(self._job.next_run_time + clock.AHEAD)}.")

    def _left_out(self, event: Any) -> None:
        if event.job_id == self._job.id:
            self._last_start = clock.now()
            say("A crawl is due while the last one is still at work: it is left out.")

    def _broke(self, event: Any) -> None:
        say(f"A run broke: {event.exception!r}.")
