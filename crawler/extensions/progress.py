"""Show the progress of a crawl: a live block on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.downloader.engine import active_hosts, delay_of, is_discovering
from crawler.extensions.estimate import Pace, Queued
from crawler.signals import archive_opened
from crawler.text import counted

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

_UPDATE_SECONDS = {"live": 0.5, "lines": 30.0}
"""Seconds between two updates."""
_BLOCK_COLUMNS = 39
"""Longest line of the live block: a terminal of 40 columns neither wraps it, nor when it becomes as narrow."""


class Display:
    """Standard error, as a live block or as lines."""

    def __init__(self, style: str) -> None:
        self.every = _UPDATE_SECONDS[style]
        self.live = (
            Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            if style == "live"
            else None
        )

    def start(self) -> None:
        """Begin to show."""
        if self.live:
            self.live.start()

    def stop(self) -> None:
        """Clear the live block: the summary follows."""
        if self.live:
            self.live.stop()

    def show(self, facts: Mapping[str, Any]) -> None:
        """Show the current state."""
        if self.live:
            self.live.update(_block(facts), refresh=True)
        else:
            print(_line(facts), file=sys.stderr, flush=True)  # noqa: T201


class Progress:
    """Show progress on standard error; ALSOREAD_PROGRESS is `live`, `lines` or `none`."""

    def __init__(self, crawler: Crawler, style: str) -> None:
        self.crawler = crawler
        self._display = Display(style)
        self._rate_limit = float(crawler.settings["ALSOREAD_RATE"] or 0)
        self._pace = Pace()

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
        self._queued = Queued(frontier.count_due)

    def spider_opened(self) -> None:
        """Begin to show."""
        self.started = monotonic()
        self._display.start()
        self._loop = create_looping_call(lambda: self._display.show(self._facts()))
        self._loop.start(self._display.every, now=bool(self._display.live))

    def spider_closed(self) -> None:
        """Clear the live block: the summary follows."""
        self._loop.stop()
        self._display.stop()

    def _facts(self) -> dict[str, Any]:
        now = monotonic()
        by_host = self._queued.counts()
        counts, queued = self._catalog.counts, sum(by_host.values())
        growing = self._frontier.finds_more() or is_discovering(self.crawler)
        self._pace.note(now - self.started, counts["pages"], queued)
        hosts = sorted(active_hosts(self.crawler))
        return {
            **counts,
            "queued": queued,
            "rate": self._pace.rate,
            "left": self._pace.estimate(
                by_host, partial(delay_of, self.crawler), self._rate_limit, growing=growing
            ),
            "hosts": _named(hosts),
            "cluster": "",
        }


class ClusterProgress:
    """Show the progress of a crawl on a cluster, from what its coordinator says of it."""

    def __init__(self, style: str, rate_limit: float) -> None:
        self._display = Display(style) if style in _UPDATE_SECONDS else None
        self._rate_limit = rate_limit
        self._pace = Pace()
        self._started = monotonic()
        self._shown_at = self._started if style == "lines" else 0.0

    def __enter__(self) -> Self:
        if self._display:
            self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._display:
            self._display.stop()

    def show(self, status: Mapping[str, Any]) -> None:
        """Show the status, if it is time to."""
        now = monotonic()
        if self._display is None or now - self._shown_at < self._display.every:
            return
        self._shown_at = now
        queued = sum(status["queued"].values())
        self._pace.note(now - self._started, status["counts"]["pages"], queued)
        delays = Counter(status["delays"])  # a host that nobody asked yet has none
        self._display.show(
            {
                **status["counts"],
                "queued": queued,
                "rate": self._pace.rate,
                "left": self._pace.estimate(
                    status["queued"], delays.__getitem__, self._rate_limit, growing=status["growing"]
                ),
                "hosts": _named(status["hosts"]),
                "cluster": cluster_line(status),
            }
        )


def cluster_line(status: Mapping[str, Any]) -> str:
    """Return the state of a cluster in a few words."""
    return (
        f"{counted(status['workers'], 'worker')}, {counted(len(status['hosts']), 'host')} leased, "
        f"{status['results_waiting']} waiting"
    )


def _named(hosts: Sequence[str]) -> str:
    return f"{counted(len(hosts), 'host')}: {', '.join(hosts)}" if hosts else ""


def _block(facts: Mapping[str, Any]) -> Group:
    lines = (
        f"[bold]{facts['pages']:,}[/] pages done, [bold]{facts['queued']:,}[/] queued",
        f"[bold]{facts['rate']:.1f}[/] a second" + (f", {facts['left']} left" if facts["left"] else ""),
        f"[green]{facts['new']:,} new[/], [cyan]{facts['changed']:,} changed[/]",
        f"[yellow]{facts['gone']:,} gone[/], [red]{facts['failed']:,} failed[/]",
        f"[dim]{facts['hosts'] or 'waiting'}[/]",
        *([facts["cluster"]] if facts["cluster"] else []),
    )
    return Group(*map(_cut, lines))


def _cut(line: str) -> Text:
    text = Text.from_markup(line)
    text.truncate(_BLOCK_COLUMNS, overflow="ellipsis")
    return text


def _line(facts: Mapping[str, Any]) -> str:
    pages = counted(facts["pages"], "page")
    left = f"; time left: {facts['left']}" if facts["left"] else ""
    cluster = f"; {facts['cluster']}" if facts["cluster"] else ""
    counts = (
        "{queued:,} queued, {rate:.1f} a second: {new:,} new, {changed:,} changed, {gone:,} gone, {failed:,} failed"
    ).format(**facts)
    return f"{pages} done, {counts}{left}{cluster}"
