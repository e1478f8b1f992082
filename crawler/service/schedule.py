"""Compute when the next crawl is due, from a plan and from the archive's record of the last crawl."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path

from cronsim import CronSim

from crawler.config.units import QuietHours
from crawler.items import Outcome
from crawler.text import counted

_MAX_COUNTED_STARTS = 1000
_INTERRUPTED_OUTCOMES = (Outcome.SHUTDOWN, Outcome.FORCED, Outcome.KILLED)


@dataclass(frozen=True, slots=True)
class LastCrawl:
    """The latest crawl in an archive's catalog. `outcome` is None while it runs, and after it was killed."""

    number: int
    pid: int
    started_at: datetime
    outcome: str | None

    @property
    def is_interrupted(self) -> bool:
        """Whether it ended before its work was done, and not by a limit."""
        return self.outcome in _INTERRUPTED_OUTCOMES or (self.outcome is None and not _is_alive(self.pid))


def last_crawl(data: Path) -> LastCrawl | None:
    """Return the last crawl of the archive in `data`, None if there was none. Raises sqlite3.Error."""
    path = data / "archive.db"
    if not path.is_file():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'crawls'").fetchone():
            return None  # the first crawl was killed before it created its tables
        row = db.execute(
            """SELECT id, pid, started_at, outcome FROM crawls
               WHERE outcome IS NOT 'imported' ORDER BY id DESC LIMIT 1"""
        ).fetchone()
    return LastCrawl(row[0], row[1], datetime.fromisoformat(row[2]), row[3]) if row else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


@dataclass(frozen=True, slots=True)
class Plan:
    """When crawls start. All moments are those of the archive's clock, in any time zone."""

    when: str | timedelta
    """A cron expression, or the time from one start to the next."""
    jitter: timedelta = timedelta()
    quiet_hours: tuple[QuietHours, ...] = ()

    def due_after(self, start: datetime) -> datetime:
        """Return when the crawl is due that follows a start, without jitter and quiet hours."""
        if isinstance(self.when, timedelta):
            return start + self.when
        return _next_match(self.when, start)

    def start_after(self, start: datetime) -> datetime:
        """Return the start that follows another one: at random within the jitter."""
        due = self.due_after(start)
        jitter = random.random() * self.jitter  # noqa: S311 - no secret
        return max(due, self.outside_quiet_hours(due + jitter))

    def starts_after(self, start: datetime) -> Iterator[datetime]:
        """Yield the starts that follow another one, without jitter."""
        while True:
            due = self.due_after(start)
            start = max(due, self.outside_quiet_hours(due))
            yield start

    def outside_quiet_hours(self, moment: datetime) -> datetime:
        """Return the moment, or the end of the quiet hours that it falls into."""
        while hours := next((hours for hours in self.quiet_hours if moment in hours), None):
            moment = hours.end_after(moment)
        return moment

    def first_start(self, last: LastCrawl | None, now: datetime) -> tuple[datetime, str]:
        """Return when a service starts its first crawl, with the reason if that is as soon as possible.

        An archive without a crawl is due, an interrupted crawl is resumed, missed starts are made up for once.
        """
        if last is None:
            reason = "No crawl yet."
        elif last.is_interrupted:
            reason = f"Crawl {last.number} was interrupted; the next one resumes it."
        else:
            last_start = min(last.started_at, now)  # the clock may have been wrong then
            missed = self.count_missed(last_start, now)
            if not missed:
                return self.start_after(last_start), ""
            reason = f"Missed {counted(missed, 'scheduled crawl')} since crawl {last.number}; one makes up for all."
        return self.outside_quiet_hours(now), reason

    def count_missed(self, start: datetime, now: datetime) -> int:
        """Count the starts after one and up to now, a thousand at most."""
        missed = takewhile(lambda due: due <= now, self.starts_after(start))
        return sum(1 for _ in islice(missed, _MAX_COUNTED_STARTS))


def _next_match(cron: str, moment: datetime) -> datetime:
    """Return the first moment after another that a valid cron expression matches in local time; in UTC."""
    # By the wall clock alone, a time that is skipped in spring is an hour later, and one that is repeated in
    # autumn matches the first time.
    wall_clock = moment.astimezone().replace(tzinfo=None)
    matches = (datetime.fromtimestamp(match.timestamp(), UTC) for match in CronSim(cron, wall_clock))
    return next(match for match in matches if match > moment)


def local_time(moment: datetime) -> str:
    """Return a moment as people read it, in local time, to the minute."""
    return f"{moment.astimezone():%a %Y-%m-%d %H:%M %Z}"
