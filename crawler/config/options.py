"""What may stand in the settings file of an archive: every key, how it is read, what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from crawler.config.units import parse_duration, parse_quiet_hours, parse_size

_HOST = re.compile(r"[\w.*?!\[\]-]+", re.ASCII)
_ADDRESS = re.compile(r"[!-'*-~]+@[!-'*-~]+|https?://[!-'*-~]+")  # it stands in a header, in parentheses
_SERVICE = re.compile(r"[a-z][a-z0-9]*://\S+")

Read = Callable[[Any], Any]
"""Makes what the file says into what the program uses; raises ValueError where that is not allowed."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: how its value is read, what is allowed and what it means, both in words."""

    read: Read
    allowed: str
    meaning: str
    secret: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _matching(pattern: re.Pattern[str]) -> Read:
    def read(value: Any) -> str:
        if not pattern.fullmatch(_text(value)):
            raise ValueError
        return str(value)

    return read


def _one_of(*words: str) -> Read:
    return _matching(re.compile("|".join(words)))


def _number(least: int, *kinds: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) not in kinds or not least <= value < math.inf:
            raise ValueError
        return value

    return read


def _time(least: timedelta = timedelta()) -> Read:
    def read(value: Any) -> timedelta:
        time = parse_duration(_text(value))
        if time < least:
            raise ValueError
        return time

    return read


def _list(read_one: Read) -> Read:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError
        return tuple(read_one(one) for one in value)

    return read


def _size(value: Any) -> int:
    return parse_size(_text(value))


def _cron(value: Any) -> str:
    from crawler.service.cron import Cron

    Cron(_text(value))
    return str(value)


KEYS = {
    "seeds": Key(
        _list(_text),
        "a list of addresses, hosts and files",
        "where a crawl begins that names no seed; by default the list that comes with alsoread",
    ),
    "contact": Key(
        _matching(_ADDRESS),
        "a mail or web address",
        "whom a site's owner writes to: it is sent with every request",
    ),
    "crawl.hosts": Key(
        _list(_matching(_HOST)),
        'a list of hosts or patterns such as "*-tips.techidaily.com"',
        "only these hosts are fetched; by default all in scope",
    ),
    "crawl.discover": Key(
        _one_of("links", "sitemaps", "both"),
        '"links", "sitemaps" or "both"',
        "where pages come from; by default both",
    ),
    "crawl.max_depth": Key(
        _number(0, int),
        "a whole number, 0 or more",
        "also-read links between a seed and a page that is still fetched; by default any number",
    ),
    "crawl.delay": Key(
        _number(0, int, float),
        "a number, 0 or more",
        "seconds between two requests to one host; by default 1",
    ),
    "crawl.rate": Key(
        _number(0, int, float),
        "a number, 0 or more",
        "requests a second over all hosts; by default 4, and 0 is no limit",
    ),
    "crawl.concurrency": Key(
        _number(1, int),
        "a whole number, 1 or more",
        "requests to one host at a time; by default 1",
    ),
    "limits.pages": Key(
        _number(1, int),
        "a whole number, 1 or more",
        "pages that one run fetches at most; by default any number",
    ),
    "limits.bytes": Key(
        _size,
        'a size such as "500 MB" or "2 GiB"',
        "what one run receives at most; by default any size",
    ),
    "limits.time": Key(
        _time(timedelta(seconds=1)),
        'a time of at least "1s", such as "10 min" or "12h"',
        "how long one run takes at most; by default as long as it has work",
    ),
    "limits.disk_free": Key(
        _size,
        'a size such as "500 MB" or "2 GiB"',
        'a run ends before less than this is free; by default "500 MB", and "0 B" is no limit',
    ),
    "limits.quiet_hours": Key(
        _list(lambda value: parse_quiet_hours(_text(value))),
        'a list of hours such as "22:00-06:30"',
        "hours, in local time, in which nothing is fetched; by default none",
    ),
    "limits.unlisted_pages": Key(
        _number(1, int),
        "a whole number, 1 or more",
        "pages of one host fetched by one run that no sitemap names; by default 200, and 10000 by links alone",
    ),
    "limits.unlisted_depth": Key(
        _number(1, int),
        "a whole number, 1 or more",
        "also-read links between a seed and such a page that is still fetched; by default 100",
    ),
    "limits.new_hosts": Key(
        _number(1, int),
        "a whole number, 1 or more",
        "hosts that one run fetches from for the first time, beside the seeds; by default 500",
    ),
    "schedule.cron": Key(
        _cron,
        'five fields of a crontab such as "17 3 * * *"',
        "when `alsoread schedule` starts a crawl, in local time",
    ),
    "schedule.every": Key(
        _time(timedelta(minutes=1)),
        'a time of at least "1 min", such as "12h"',
        "the time from one start to the next, in the place of `cron`",
    ),
    "schedule.jitter": Key(
        _time(),
        'a time such as "10 min"',
        'a start is put off by a random part of this; by default "0s"',
    ),
    "notify.urls": Key(
        _list(_matching(_SERVICE)),
        'a list of addresses that apprise knows, such as "mailto://user:password@example.org"',
        "who is told of runs; by default nobody",
        secret=True,
    ),
    "notify.on": Key(
        _one_of("alarms", "always"),
        '"alarms" or "always"',
        'which runs are told; by default "alarms"',
    ),
    "keep.logs": Key(
        _time(timedelta(days=1)),
        'a time of at least "1 day", such as "90 days"',
        'how long the logs of runs are kept; by default "90 days"',
    ),
    "metrics.file": Key(
        lambda value: Path(_text(value)),
        "a path",
        'where the numbers of the last run are written; by default "metrics.prom"',
    ),
}
"""Every key by its name, the table before the dot."""
