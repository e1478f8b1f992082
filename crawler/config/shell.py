"""Settings for `scrapy shell`, which fetches single addresses and opens no archive."""

from __future__ import annotations

from scrapy.settings import BaseSettings

_FILTER_OF_A_SHELL = "scrapy.dupefilters.BaseDupeFilter"
"""What Scrapy's shell sets, and nothing else: it has no flag of its own."""


class Shell:
    """Add-on: keep the project's downloader in a shell, without the frontier, pipelines and reports of a crawl."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Take out what needs an archive."""
        if settings["DUPEFILTER_CLASS"] != _FILTER_OF_A_SHELL:
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
