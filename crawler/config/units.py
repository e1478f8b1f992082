"""Parse durations, sizes, hours of the day, cron expressions and parts as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256

from cronsim import CronSim, CronSimError

_QUANTITY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([a-z]+)", re.ASCII | re.IGNORECASE)
_HOURS = re.compile(r"(\d\d:\d\d) ?- ?(\d\d:\d\d)", re.ASCII)
_PART = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})", re.ASCII)
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_BYTES = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **{"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40},
}
_MAX_DURATION_SECONDS = 3_660 * 86_400
"""Ten years: no sum with a date may leave the calendar."""
_CRON_FIELDS = 5
_CRON_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def parse_duration(text: str) -> timedelta:
    """Parse a duration such as "90s", "10 min", "12h" or "90 days". Raises ValueError with a sentence.

    >>> parse_duration("90s"), parse_duration("1.5 h")
    (datetime.timedelta(seconds=90), datetime.timedelta(seconds=5400))
    """
    seconds = _parse_quantity(text, _SECONDS)
    if seconds is None or seconds > _MAX_DURATION_SECONDS:
        raise ValueError(f"{text!r} is not a valid duration (try 90s, 10 min, 12h or 90 days).")
    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """Parse a size such as "500 MB" (a million each) or "2 GiB" to bytes. Raises ValueError with a sentence.

    >>> parse_size("500 MB"), parse_size("2GiB")
    (500000000, 2147483648)
    """
    size = _parse_quantity(text, _BYTES)
    if size is None:
        raise ValueError(f"{text!r} is not a valid size (try 500 MB or 2 GiB).")
    return int(size)


def _parse_quantity(text: str, units: dict[str, int]) -> float | None:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or (factor := units.get(match[2].lower())) is None:
        return None
    return float(match[1]) * factor


def parse_cron(text: str) -> str:
    """Return a valid cron expression of five fields, as cronsim reads it. Raises ValueError with a sentence.

    >>> parse_cron("17 3 * * fri-sun"), parse_cron("@daily")
    ('17 3 * * FRI-7', '0 0 * * *')
    """
    # cronsim knows a named Sunday as the first day of a week alone.
    cron = _CRON_NAMES.get(text.strip().lower(), text).upper().replace("-SUN", "-7")
    try:
        if len(cron.split()) == _CRON_FIELDS and next(CronSim(cron, datetime.now()), None):
            return cron
    except CronSimError:
        pass
    raise ValueError(f"{text!r} is not a valid cron expression (try 17 3 * * *).")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of every day, in local time, from `start` up to `end`; they may cross midnight."""

    start: time
    end: time

    def __contains__(self, moment: datetime) -> bool:
        """Return whether a moment, in any time zone, falls into these hours."""
        local = moment.astimezone().time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def end_after(self, moment: datetime) -> datetime:
        """Return when these hours end for the first time after a moment; in local time."""
        local = moment.astimezone()
        day = local.date() + timedelta(days=local.time() >= self.end)
        return datetime.combine(day, self.end).astimezone()

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def parse_quiet_hours(text: str) -> QuietHours:
    """Parse hours such as "22:00-06:30". Raises ValueError with a sentence.

    >>> str(parse_quiet_hours("22:00 - 06:30"))
    '22:00-06:30'
    """
    if match := _HOURS.fullmatch(text.strip()):
        try:
            hours = QuietHours(time.fromisoformat(match[1]), time.fromisoformat(match[2]))
        except ValueError:
            pass  # such as 25:00
        else:
            if hours.start != hours.end:
                return hours
    raise ValueError(f"{text!r} is not a valid range of hours (try 22:00-06:30).")


@dataclass(frozen=True, slots=True)
class Part:
    """One of so many parts, into which names are divided; the first is number 1."""

    number: int
    count: int

    def owner_of(self, name: str) -> int:
        """Return the number of the part that a name belongs to, which is the same on every machine."""
        return int.from_bytes(sha256(name.encode()).digest()[:8]) % self.count + 1

    def __contains__(self, name: str) -> bool:
        """Return whether a name belongs to this part."""
        return self.owner_of(name) == self.number

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_part(text: str) -> Part:
    """Parse a part such as "2/4". Raises ValueError with a sentence.

    >>> str(parse_part("2/4")), "howto.techidaily.com" in parse_part("1/1")
    ('2/4', True)
    """
    if match := _PART.fullmatch(text.strip()):
        part = Part(int(match[1]), int(match[2]))
        if part.number <= part.count:
            return part
    raise ValueError(f"{text!r} is not a valid part (try 2/4).")
