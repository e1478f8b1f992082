"""Adapt Scrapy's settings to the archive, to Scrapy's shell and to a loopback server."""

from __future__ import annotations

from pathlib import Path

from scrapy.settings import BaseSettings

from crawler.config.file import read_file
from crawler.config.options import DEFAULTS, scrapy_settings

_ABOVE_PROJECT_PRIORITY = 25
"""Above settings.py, and below what a loopback server needs and the command line."""

_SHELL_DUPEFILTER = "scrapy.dupefilters.BaseDupeFilter"
"""Set by Scrapy's shell alone, which has no flag of its own."""


class ArchiveSettings:
    """Add-on: lays DATA/alsoread.toml over settings.py, and the options' defaults below it."""

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Set the options before a spider is made, which reads its seeds. Raises ConfigError."""
        values, shipped_contact = read_file(Path(settings["ALSOREAD_DATA"])), settings["ALSOREAD_CONTACT"]
        settings.setdict(scrapy_settings(DEFAULTS), priority="default")
        settings.setdict(scrapy_settings(values), priority=_ABOVE_PROJECT_PRIORITY)
        if concurrency := values.get("crawl.concurrency"):
            # Otherwise AutoThrottle spaces requests to one at a time.
            settings.set("AUTOTHROTTLE_TARGET_CONCURRENCY", concurrency, priority=_ABOVE_PROJECT_PRIORITY)
        if contact := values.get("contact"):
            agent = settings["USER_AGENT"].replace(f"contact: {shipped_contact}", f"contact: {contact}")
            settings.set("USER_AGENT", agent, priority=_ABOVE_PROJECT_PRIORITY)


class ShellSettings:
    """Add-on: keep the project's downloader in a shell, without the frontier, pipelines and reports of a crawl."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Take out what needs an archive."""
        if settings["DUPEFILTER_CLASS"] != _SHELL_DUPEFILTER:
            return
        extensions = settings.getdict("EXTENSIONS")
        own = {name: None for name in extensions if name.startswith("crawler.")}
        settings.setdict(
            {
                "EXTENSIONS": extensions | own,
                "ITEM_PIPELINES": {},
                "SCHEDULER": "scrapy.core.scheduler.Scheduler",
            },
            priority="spider",
        )


class LoopbackSettings:
    """Add-on: takes delays out if ALSOREAD_CONNECT_TO names a server for all hosts."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Set what a server without neighbours needs no more; the command line goes above it."""
        if settings["ALSOREAD_CONNECT_TO"]:
            settings.setdict(
                {
                    "ALSOREAD_HOST_FAILURES": None,
                    "ALSOREAD_RATE": None,
                    "ALSOREAD_RETRY_DELAYS": [0, 0],
                    "AUTOTHROTTLE_ENABLED": False,
                    "CONCURRENT_REQUESTS_PER_DOMAIN": settings.getint("CONCURRENT_REQUESTS"),
                    "DOWNLOAD_DELAY": 0,
                },
                priority="spider",
            )
