"""Show the progress of a crawl: a live block on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.clock import now as time_now
from crawler.downloader.engine import active_hosts
from crawler.items import iso
from crawler.signals import archive_opened

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

_UPDATE_SECONDS = {"live": 0.5, "lines": 30.0}
"""Seconds between two updates."""
_COUNT_SECONDS = 2.0
"""Seconds between two counts of the queue."""
_MAX_COUNT_SHARE = 0.01
"""Share of the time that counting the queue may take, at most."""
_MAX_HOSTS = 4


class Progress:
    """Show progress on standard error; ALSOREAD_PROGRESS is `live`, `lines` or `none`."""

    def __init__(self, crawler: Crawler, style: str) -> None:
        self.crawler = crawler
        self.every = _UPDATE_SECONDS[style]
        self.live = (
            Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            if style == "live"
            else None
        )
        self._queued, self._count_at = 0, 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        style = crawler.settings["ALSOREAD_PROGRESS"]
        if style not in _UPDATE_SECONDS:
            raise NotConfigured
        extension = cls(crawler, style)
        crawler.signals.connect(extension.archive_opened, archive_opened)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def archive_opened(self, catalog: Catalog, frontier: Any) -> None:
        """Show the counts of this catalog, and what is left in the frontier."""
        self._catalog, self._frontier = catalog, frontier

    def spider_opened(self) -> None:
        """Begin to show."""
        self.started = monotonic()
        if self.live:
            self.live.start()
        self._loop = create_looping_call(self.show)
        self._loop.start(self.every, now=bool(self.live))

    def spider_closed(self) -> None:
        """Clear the live block: the summary follows."""
        self._loop.stop()
        if self.live:
            self.live.stop()

    def show(self) -> None:
        """Show the current state."""
        facts = self._facts()
        if self.live:
            self.live.update(_block(facts), refresh=True)
        else:
            print(_line(facts), file=sys.stderr, flush=True)  # noqa: T201

    def _facts(self) -> dict[str, Any]:
        now = monotonic()
        if now > self._count_at:
            self._queued = self._frontier.count_due(iso(time_now()))
            self._count_at = now + max(_COUNT_SECONDS, (monotonic() - now) / _MAX_COUNT_SHARE)
        counts = self._catalog.counts
        rate = counts["pages"] / max(now - self.started, 0.001)
        hosts = sorted(active_hosts(self.crawler))
        return {
            **counts,
            "queued": self._queued,
            "rate": rate,
            "left": self._queued / rate if rate else None,
            "hosts": ", ".join(hosts[:_MAX_HOSTS])
            + (f" and {len(hosts) - _MAX_HOSTS} more" if hosts[_MAX_HOSTS:] else ""),
        }


def duration(seconds: float | None) -> str:
    """Return a length of time in words.

    >>> duration(4.2), duration(75), duration(7300), duration(200000), duration(None)
    ('4 s', '1 min 15 s', '2 h 1 min', '2 d 7 h', 'not known yet')
    """
    if seconds is None:
        return "not known yet"
    parts = [(int(seconds // 86400), "d"), (int(seconds // 3600 % 24), "h")]
    parts += [(int(seconds // 60 % 60), "min"), (int(seconds % 60), "s")]
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number or first == 3)


def _block(facts: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(
        f"[bold]{facts['pages']:,}[/] pages done",
        f"[bold]{facts['queued']:,}[/] queued",
        f"[bold]{facts['rate']:.1f}[/] a second",
        f"time left: {duration(facts['left'])}",
    )
    table.add_row(
        f"[green]{facts['new']:,} new[/]",
        f"[cyan]{facts['changed']:,} changed[/]",
        f"[yellow]{facts['gone']:,} gone[/]",
        f"[red]{facts['failed']:,} failed[/]",
    )
    block = Table.grid()
    block.add_row(table)
    block.add_row(f"[dim]{facts['hosts'] or 'waiting'}[/]")
    return block


def _line(facts: dict[str, Any]) -> str:
    return (
        "{pages} pages done, {queued} queued, {rate:.1f} a second: {new} new, {changed} changed, {gone} gone, "
        "{failed} failed; time left: {left_words}"
    ).format(left_words=duration(facts["left"]), **facts)
