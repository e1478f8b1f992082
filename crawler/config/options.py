"""Define every option of an archive, in one table: its place in the settings file, in Scrapy and in commands.

The settings file, Scrapy's settings, the flags of commands with their help, and docs/settings.md follow this table.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crawler.config.units import parse_cron, parse_duration, parse_part, parse_quiet_hours, parse_size


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its name in help, what is valid, in words, and how it is parsed."""

    metavar: str
    valid: str
    convert: Callable[[Any], Any]
    """Make the program's value. Raises ValueError."""
    types: tuple[type, ...] = (str,)
    """What it may be in the settings file; a word of a command line becomes the last of them."""

    def parse(self, value: Any) -> Any:
        """Make the program's value from that of a settings file. Raises ValueError if it is not valid."""
        if type(value) not in self.types:
            raise ValueError
        return self.convert(value)

    def parse_word(self, word: str) -> Any:
        """Make the program's value from a word of a command line. Raises ValueError if it is not valid."""
        return self.parse(self.types[-1](word))


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an archive."""

    key: str
    """Its key in the settings file, the table before the dot."""
    kind: Kind
    default: Any
    """What holds without it, as the settings file would say it; a list for an option that takes several."""
    setting: str
    """The Scrapy setting that gets its value, if any."""
    flag: str
    """Its names on a command line, if any."""
    help: str
    example: Any = None
    """A value for a settings file to start from, where there is no default."""
    is_secret: bool = False
    """Whether its value must not be printed."""

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return isinstance(self.default, list)

    @property
    def valid(self) -> str:
        """What the settings file may say, in words."""
        return f"a list, each item {self.kind.valid}" if self.is_list else self.kind.valid

    def parse(self, value: Any) -> Any:
        """Make the program's value from that of a settings file. Raises ValueError if it is not valid."""
        if not self.is_list:
            return self.kind.parse(value)
        if not isinstance(value, list):
            raise ValueError
        return [self.kind.parse(item) for item in value]


def _at_least(least: int) -> Callable[[float], float]:
    def convert(number: float) -> float:
        if not least <= number < math.inf:
            raise ValueError
        return number

    return convert


def _lasting_at_least(least: timedelta) -> Callable[[str], timedelta]:
    def convert(text: str) -> timedelta:
        duration = parse_duration(text)
        if duration < least:
            raise ValueError
        return duration

    return convert


def _matching(pattern: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError
        return text

    return convert


_SHORTEST_INTERVAL = timedelta(seconds=float(os.environ.get("ALSOREAD_SHORTEST_INTERVAL_SECONDS", "60")))
"""Shortest time from one scheduled crawl to the next; the project's tests, which can't wait, make it shorter."""
_NOT_BLANK = r"(?s).*\S.*"
_IN_PARENTHESES = r"[!-'*-~]+"  # a contact stands in a header, in parentheses

_COUNT = Kind("N", "a whole number, 1 or more", _at_least(1), (int,))
_DEPTH = Kind("N", "a whole number, 0 or more", _at_least(0), (int,))
_NUMBER = Kind("N", "a number, 0 or more", _at_least(0), (int, float))
_SIZE = Kind("SIZE", 'a size such as "500 MB" or "2 GiB"', parse_size)
_SECONDS = Kind(
    "DURATION", 'a duration such as "10 min" or "12h"', lambda text: parse_duration(text).total_seconds()
)
_JITTER = Kind("DURATION", 'a duration such as "10 min"', parse_duration)
_INTERVAL = Kind(
    "DURATION", 'a duration of at least "1 min", such as "12h"', _lasting_at_least(_SHORTEST_INTERVAL)
)
_AGE = Kind(
    "DURATION", 'a duration of at least "1 day", such as "90 days"', _lasting_at_least(timedelta(days=1))
)
_HOURS = Kind("HOURS", 'a range such as "22:00-06:30"', lambda text: str(parse_quiet_hours(text)))
_CRON = Kind("CRON", 'a cron expression such as "17 3 * * *" or "@daily"', parse_cron)
_SEED = Kind("SEED", "a URL, a host or a file", _matching(_NOT_BLANK))
_GLOB = Kind("GLOB", 'a host or a pattern such as "*-tips.techidaily.com"', _matching(r"[\w.*?!\[\]-]+"))
_CONTACT = Kind(
    "ADDRESS",
    "a mail or web address",
    _matching(rf"{_IN_PARENTHESES}@{_IN_PARENTHESES}|https?://{_IN_PARENTHESES}"),
)
_SERVICE = Kind(
    "URL",
    'a URL that apprise knows, such as "mailto://user:password@example.org"',
    _matching(r"[a-z][a-z0-9]*://\S+"),
)
_DISCOVER = Kind("WAY", '"links", "sitemaps" or "both"', _matching("links|sitemaps|both"))
_OCCASION = Kind("WHEN", '"alarms" or "always"', _matching("alarms|always"))
_SWITCH = Kind("SWITCH", "true or false", bool, (bool,))
_CLUSTER = Kind("ADDRESS", '"auto" or an address such as "192.168.1.10:6379"', _matching(r"auto|[\w.-]+:\d+"))
_PART = Kind("PART", 'a part such as "2/4", the second of four', lambda text: str(parse_part(text)))
_PATH = Kind("PATH", "a path", _matching(_NOT_BLANK))

# fmt: off
_TABLE = (
    Option("seeds", _SEED, [], "ALSOREAD_SEEDS", "",
           "Where a crawl begins that names no SEEDS.", example=["howto.techidaily.com", "seeds.txt"]),
    Option("contact", _CONTACT, None, "ALSOREAD_CONTACT", "",
           "Whom a site's owner writes to; sent with every request.", example="archive@example.org"),
    Option("crawl.hosts", _GLOB, [], "ALSOREAD_HOSTS", "--host, --hosts",
           "Only hosts such as this; repeatable.", example=["*-tips.techidaily.com"]),
    Option("crawl.discover", _DISCOVER, "both", "ALSOREAD_DISCOVER", "--discover",
           "Find pages: links, sitemaps or both."),
    Option("crawl.max_depth", _DEPTH, None, "ALSOREAD_MAX_DEPTH", "--max-depth",
           "Also-read links to follow from a seed at most.", example=10),
    # These are small blogs, and one content network serves them all.
    Option("crawl.delay", _NUMBER, 1, "DOWNLOAD_DELAY", "--delay",
           "Seconds between two requests to a host."),
    Option("crawl.rate", _NUMBER, 4, "ALSOREAD_RATE", "--rate",
           "Requests a second in all; 0 = no limit."),
    Option("crawl.concurrency", _COUNT, 1, "CONCURRENT_REQUESTS_PER_DOMAIN", "",
           "Requests to one host at a time."),
    Option("limits.pages", _COUNT, None, "ALSOREAD_MAX_PAGES", "--max-pages",
           "Pages that one run fetches at most.", example=1000),
    Option("limits.bytes", _SIZE, None, "ALSOREAD_MAX_BYTES", "--max-bytes",
           "What one run receives at most, such as 2GB.", example="2 GB"),
    Option("limits.time", _SECONDS, None, "ALSOREAD_MAX_SECONDS", "--max-time",
           "How long one run takes at most, such as 90min.", example="6h"),
    # A full disk would break other programs too.
    Option("limits.disk_free", _SIZE, "500 MB", "ALSOREAD_DISK_FREE", "",
           "End a run before less than this is free."),
    Option("limits.quiet_hours", _HOURS, [], "ALSOREAD_QUIET_HOURS", "",
           "When nothing is fetched, in local time.", example=["22:00-06:30"]),
    # The default of unlisted pages depends on how pages are discovered: frontier/budgets.py has it.
    Option("limits.unlisted_pages", _COUNT, None, "ALSOREAD_UNLISTED_PAGES", "",
           "Pages of one host in one run that no sitemap names.", example=200),
    # Real pages are some ten links away, and the network has 305 hosts.
    Option("limits.unlisted_depth", _COUNT, 100, "ALSOREAD_UNLISTED_DEPTH", "",
           "Also-read links between a seed and such a page."),
    Option("limits.new_hosts", _COUNT, 500, "ALSOREAD_NEW_HOSTS", "",
           "Hosts that one run reaches for the first time."),
    Option("schedule.cron", _CRON, None, "", "--cron",
           'When, in local time: "17 3 * * *" is daily at 3:17.', example="17 3 * * *"),
    Option("schedule.every", _INTERVAL, None, "", "--every",
           "Time from one start to the next, such as 12h.", example="12h"),
    Option("schedule.jitter", _JITTER, "0s", "", "--jitter",
           "Delay each start by a random part of this."),
    Option("notify.urls", _SERVICE, [], "", "",
           "Who is notified of runs.", example=["mailto://user:password@example.org"], is_secret=True),
    Option("notify.on", _OCCASION, "alarms", "", "",
           "Which runs are notified of."),
    Option("keep.logs", _AGE, "90 days", "", "",
           "How long the logs of runs are kept."),
    Option("cluster.address", _CLUSTER, None, "ALSOREAD_CLUSTER", "--cluster",
           "Use the Ray cluster there; auto: one of its own.", example="192.168.1.10:6379"),
    Option("cluster.workers", _COUNT, None, "ALSOREAD_WORKERS", "--workers",
           "Workers on the cluster; by default one a processor.", example=4),
    Option("cluster.part", _PART, None, "ALSOREAD_PART", "--part",
           "Only this part of the hosts: 2/4 is the second of 4.", example="2/4"),
    Option("warc.write", _SWITCH, True, "ALSOREAD_WARC", "",
           "Keep every request and response in WARC files."),
    Option("warc.shared", _SWITCH, False, "ALSOREAD_WARC_SHARED", "",
           "Let workers on a cluster write them: all see the folder."),
    Option("metrics.file", _PATH, "metrics.prom", "", "",
           "Where the metrics of the last run are written."),
)
# fmt: on

OPTIONS = {option.key: option for option in _TABLE}
"""Every option by its key, in the order of the documentation."""
DEFAULTS: dict[str, Any] = {
    key: option.default if option.default is None else option.parse(option.default)
    for key, option in OPTIONS.items()
}
"""The value of every option that the settings file leaves out."""


def scrapy_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Scrapy settings that values of options, by their keys, stand for."""
    return {
        OPTIONS[key].setting: value
        for key, value in values.items()
        if OPTIONS[key].setting and value is not None
    }
