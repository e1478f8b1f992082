"""A crontab's line as cron reads it, on APScheduler's trigger, which differs in the days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger
from tzlocal import get_localzone

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?:\*|([0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?)(?:/(\d))?")


class Cron:
    """The moments that five fields such as `17 3 * * *` name, in local time."""

    def __init__(self, line: str) -> None:
        """Raises ValueError, in a sentence."""
        try:
            minute, hour, day, month, weekday = line.split()
            # Where both days are named, cron takes either.
            both = not (day.startswith("*") or weekday.startswith("*"))
            days = ((day, "*"), ("*", weekday)) if both else ((day, weekday),)
            self._triggers = [
                CronTrigger.from_crontab(f"{minute} {hour} {of_month} {month} {_weekdays(of_week)}")
                for of_month, of_week in days
            ]
            self.after(datetime.now(UTC))
        except ValueError:
            raise ValueError(f"{line!r} is no line of a crontab: five fields such as 17 3 * * *.") from None

    def after(self, moment: datetime) -> datetime:
        """The first moment after another; in UTC."""
        while True:
            soonest = moment + timedelta(microseconds=1)
            times = [trigger.get_next_fire_time(None, soonest) for trigger in self._triggers]
            if None in times:
                raise ValueError("a day that never comes")
            moment = min(time.astimezone(UTC) for time in times)
            if not moment.astimezone(get_localzone()).fold:  # when the clock is set back, an hour comes twice
                return moment


def _weekdays(field: str) -> str:
    """The names of a field's weekdays: their numbers begin at Sunday for cron, and at Monday for the trigger.

    >>> _weekdays("1-5"), _weekdays("7"), _weekdays("fri-sun"), _weekdays("*")
    ('mon,tue,wed,thu,fri', 'sun', 'sun,fri,sat', '*')
    """
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.lower().split(","):
        found = _PART.fullmatch(part)
        if not found:
            raise ValueError(part)
        first, last = (_day(name) if name else None for name in found.groups()[:2])
        begin, end = (0, 6) if first is None else (first, first if last is None else last or 7)
        days.update(day % 7 for day in range(begin, end + 1, int(found[3] or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _day(name: str) -> int:
    return int(name) if name.isdigit() else _DAYS.index(name)
