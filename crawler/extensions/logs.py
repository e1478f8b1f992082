"""Keep a log file for each run, whose lines name the address that they are about."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Spider, signals
from scrapy.exceptions import NotConfigured
from scrapy.http import Request, Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.utils.log import get_scrapy_root_handler
from twisted.python.failure import Failure

from crawler.clock import now
from crawler.errors import DiskError
from crawler.signals import archive_opened
from crawler.text import escape_controls

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

logger = logging.getLogger(__name__)

_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"^crawl-(?:\d{6,}-)?(\d{8}T\d{6}Z)\.log$")


def new_log(data: Path) -> Path:
    """Create the log of a run that has no number yet. Raises DiskError if the folder can't be written."""
    log = data / "logs" / f"crawl-{now():{_TIME}}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise DiskError(f"{data} can't be written: {error.strerror}. Choose another --data.") from None
    return log


def numbered(log: Path, crawl: int) -> Path:
    """Return the name of a new log once its run has a number; other files keep theirs.

    >>> print(numbered(Path("crawl-20261123T044312Z.log"), 12))
    crawl-000012-20261123T044312Z.log
    """
    return log.with_name(_NAME.sub(rf"crawl-{crawl:06}-\1.log", log.name))


def number_log(log: Path, crawl: int) -> None:
    """Rename the log of a run that has a number now; it keeps its name where that fails."""
    new = numbered(log, crawl)
    try:
        log.rename(new)
    except OSError as error:
        logger.warning("The log can't be renamed to %s: %s.", new.name, error.strerror)


def remove_old_logs(data: Path, keep: timedelta, now: datetime) -> int:
    """Remove the logs of runs that began longer ago than `keep`. Return how many."""
    old = [
        log for log in (data / "logs").glob("crawl-*.log") if (began := _began(log)) and now - began > keep
    ]
    for log in old:
        log.unlink(missing_ok=True)
    return len(old)


def _began(log: Path) -> datetime | None:
    """Return when a log's run began, from its name: a copied file has another time."""
    match = _NAME.fullmatch(log.name)
    return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) if match else None


class NumberedLog:
    """Give the run's log the number of its crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        if not crawler.settings["LOG_FILE"]:
            raise NotConfigured
        extension = cls(crawler)
        crawler.signals.connect(extension.archive_opened, archive_opened)
        return extension

    def archive_opened(self, catalog: Catalog) -> None:
        """Rename the file that is written to."""
        number_log(Path(self.crawler.settings["LOG_FILE"]), catalog.crawl)


class _Records(logging.Formatter):
    """Format a record so that nothing in it looks like another one or controls a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record; the lines after its first are indented."""
        return escape_controls(super().format(record)).replace("\n", "\n    ")


class _Lines(_Records):
    """Format records for a terminal, without tracebacks."""

    def formatException(self, ei: Any) -> str:  # noqa: ARG002, N802 - logging's name
        """Return nothing: the record's first line says what happened."""
        return ""


class ByAddress(LogFormatter):
    """Log the address of a page, and never the page itself."""

    def __init__(self, records: logging.Formatter) -> None:
        self._records = records

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        records = _Records if crawler.settings["LOG_FILE"] else _Lines
        formatter = cls(records(crawler.settings["LOG_FORMAT"], crawler.settings["LOG_DATEFORMAT"]))
        crawler.signals.connect(formatter.spider_opened, signals.spider_opened)
        return formatter

    def spider_opened(self) -> None:
        """Format records safely from now on: none was about a page before."""
        if handler := get_scrapy_root_handler():
            handler.setFormatter(self._records)

    def crawled(self, request: Request, response: Response, spider: Spider) -> None:  # type: ignore[override]
        """Log nothing: the catalog has the state of every page."""

    def scraped(self, item: Any, response: Response | Failure | None, spider: Spider) -> None:  # type: ignore[override]
        """Log nothing, for the same reason."""

    def dropped(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        """Log an item that a stage dropped."""
        line = super().dropped(item, exception, response, spider)
        return {**line, "msg": "Dropped %(url)s: %(exception)s", "args": _about(item, exception, response)}

    def item_error(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        """Log an item that a stage failed on."""
        line = super().item_error(item, exception, response, spider)
        return {
            **line,
            "msg": "Error storing %(url)s: %(exception)s",
            "args": _about(item, exception, response),
        }


def _about(item: Any, exception: BaseException, response: Response | Failure | None) -> dict[str, Any]:
    """Return a log line with the address of an item's page, or of its sitemap."""
    url = getattr(item, "url", None) or getattr(response, "url", "an item")
    return {"url": url, "exception": exception}
