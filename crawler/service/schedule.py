"""When the next crawl is due: by a plan, and by what the archive says of the last one."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path

from crawler.config.file import Schedule
from crawler.config.units import QuietHours
from crawler.service.cron import Cron

_MANY = 1000
"""Missed starts that are counted: beyond that, their number says nothing more."""
_CUT_SHORT = ("shutdown", "forced", "killed")


@dataclass(frozen=True, slots=True)
class Run:
    """The last crawl that an archive knows of. `outcome` is None while it runs, and when it was killed."""

    number: int
    pid: int
    started_at: datetime
    outcome: str | None

    @property
    def cut_short(self) -> bool:
        """Whether it ended before its work was done, and not by a limit."""
        return self.outcome in _CUT_SHORT or (self.outcome is None and not _is_alive(self.pid))


def last_run(data: Path) -> Run | None:
    """The last crawl of the archive in `data`, if there was one. Raises sqlite3.Error."""
    path = data / "archive.db"
    if not path.is_file():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'crawls'").fetchone():
            return None  # the first crawl was killed before it made its tables
        row = db.execute(
            """SELECT id, pid, started_at, outcome FROM crawls
               WHERE outcome IS NOT 'imported' ORDER BY id DESC LIMIT 1"""
        ).fetchone()
    return Run(row[0], row[1], datetime.fromisoformat(row[2]), row[3]) if row else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


@dataclass(frozen=True, slots=True)
class Plan:
    """When crawls start. All moments are those of the archive's clock, and in UTC or local time."""

    after: Callable[[datetime], datetime]
    """When a crawl is due that follows another, by the other's start."""
    jitter: timedelta = timedelta()
    quiet_hours: tuple[QuietHours, ...] = ()

    @classmethod
    def by(cls, schedule: Schedule, quiet_hours: tuple[QuietHours, ...]) -> Plan:
        """The plan of an archive's settings. Raises ValueError, in a sentence."""
        if schedule.cron:
            return cls(Cron(schedule.cron).after, schedule.jitter, quiet_hours)
        if not (every := schedule.every):
            raise ValueError('Say when crawls are to start: --cron "17 3 * * *", or --every 12h.')
        return cls(lambda start: start + every, schedule.jitter, quiet_hours)

    def outside(self, moment: datetime) -> datetime:
        """The moment, or the end of the quiet hours that it falls into."""
        while hours := next((hours for hours in self.quiet_hours if moment in hours), None):
            moment = hours.end_after(moment)
        return moment

    def start_after(self, start: datetime) -> datetime:
        """When the crawl starts that follows another one's start: at random within the jitter."""
        due = self.after(start)
        return max(due, self.outside(due + random.random() * self.jitter))  # noqa: S311 - no secret

    def starts(self, start: datetime) -> Iterator[datetime]:
        """The starts that follow another one's, without jitter."""
        while True:
            start = max(due := self.after(start), self.outside(due))
            yield start

    def first_start(self, last: Run | None, now: datetime) -> tuple[datetime, str]:
        """When the first crawl of a service starts, and why then: a sentence where it is to start at once.

        What was missed is made up once; what was cut short goes on; an archive without a crawl is due.
        """
        if last is None:
            return self.outside(now), "There was no crawl yet."
        if last.cut_short:
            return self.outside(now), f"Crawl {last.number} was cut short: the next one goes on."
        last_start = min(last.started_at, now)  # a clock that was wrong is no reason to wait for it
        if missed := self.missed(last_start, now):
            return self.outside(
                now
            ), f"{runs_were(missed)} missed after crawl {last.number}: one makes up for all."
        return self.start_after(last_start), ""

    def missed(self, start: datetime, now: datetime) -> int:
        """How many starts there were to be after one, and until now; not counted beyond a thousand."""
        return sum(1 for _ in islice(takewhile(lambda due: due <= now, self.starts(start)), _MANY))


def runs_were(starts: int) -> str:
    """The number of starts that were missed: the beginning of a sentence.

    >>> runs_were(1), runs_were(3)
    ('1 run was', '3 runs were')
    """
    return f"{starts} run{' was' if starts == 1 else 's were'}"


def shown(moment: datetime) -> str:
    """A moment for a person, in local time."""
    return f"{moment.astimezone():%a %Y-%m-%d %H:%M %Z}"
