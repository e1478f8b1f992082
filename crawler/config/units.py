"""Lengths of time, sizes and hours of the day, as a person writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

_QUANTITY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([a-z]+)", re.ASCII | re.IGNORECASE)
_SECONDS = {
    ("s", "sec", "second", "seconds"): 1,
    ("m", "min", "minute", "minutes"): 60,
    ("h", "hour", "hours"): 3600,
    ("d", "day", "days"): 86_400,
    ("w", "week", "weeks"): 604_800,
}
_BYTES = {
    ("b", "byte", "bytes"): 1,
    ("kb",): 10**3,
    ("mb",): 10**6,
    ("gb",): 10**9,
    ("tb",): 10**12,
    ("kib",): 2**10,
    ("mib",): 2**20,
    ("gib",): 2**30,
    ("tib",): 2**40,
}
_LONGEST = 3_660 * 86_400
"""Seconds: ten years, so that no time that is reckoned with falls out of the calendar."""


def parse_duration(text: str) -> timedelta:
    """A length of time such as "90s", "10 min", "12h" or "90 days". Raises ValueError, in a sentence.

    >>> parse_duration("90s"), parse_duration("1.5 h")
    (datetime.timedelta(seconds=90), datetime.timedelta(seconds=5400))
    """
    seconds = _measure(text, _SECONDS)
    if seconds is None or seconds > _LONGEST:
        raise ValueError(f"{text!r} is no length of time such as 90s, 10 min, 12h or 90 days.")
    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """The bytes of a size such as "500 MB" (a million each) or "2 GiB". Raises ValueError, in a sentence.

    >>> parse_size("500 MB"), parse_size("2GiB")
    (500000000, 2147483648)
    """
    size = _measure(text, _BYTES)
    if size is None:
        raise ValueError(f"{text!r} is no size such as 500 MB or 2 GiB.")
    return int(size)


def _measure(text: str, units: dict[tuple[str, ...], int]) -> float | None:
    if found := _QUANTITY.fullmatch(text.strip()):
        factors = (factor for names, factor in units.items() if found[2].lower() in names)
        return next((float(found[1]) * factor for factor in factors), None)
    return None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of every day, in local time, from `start` up to `end`; they may cross midnight."""

    start: time
    end: time

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment, in any time zone, falls into these hours."""
        local = moment.astimezone().time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def end_after(self, moment: datetime) -> datetime:
        """When these hours end for the first time after a moment; in local time."""
        local = moment.astimezone()
        day = local.date() + timedelta(days=local.time() >= self.end)
        return datetime.combine(day, self.end).astimezone()

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def parse_quiet_hours(text: str) -> QuietHours:
    """Hours such as "22:00-06:30". Raises ValueError, in a sentence.

    >>> str(parse_quiet_hours("22:00 - 06:30"))
    '22:00-06:30'
    """
    wrong = f"{text!r} are no hours such as 22:00-06:30."
    found = re.fullmatch(r"(\d\d:\d\d) ?- ?(\d\d:\d\d)", text.strip(), re.ASCII)
    try:
        start, end = (time.fromisoformat(found[1]), time.fromisoformat(found[2])) if found else (None, None)
    except ValueError:
        raise ValueError(wrong) from None
    if start is None or end is None or start == end:
        raise ValueError(wrong)
    return QuietHours(start, end)
