"""What the settings file of an archive changes in a crawl."""

from __future__ import annotations

from pathlib import Path

from scrapy.settings import BaseSettings

from crawler.config.file import read_config

_ABOVE_THE_PROJECT = 25
"""Priority over settings.py; what a loopback server needs and the command line come above it."""


class Configured:
    """Add-on: lays DATA/alsoread.toml over settings.py."""

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Before there is a spider, which asks for its seeds. Raises ConfigError."""
        config = read_config(Path(settings["ALSOREAD_DATA"]))
        crawl, limits = config.crawl, config.limits
        chosen = {
            "ALSOREAD_SEEDS": config.seeds or None,
            "ALSOREAD_CONTACT": config.contact,
            "ALSOREAD_HOSTS": crawl.hosts or None,
            "ALSOREAD_DISCOVER": crawl.discover,
            "ALSOREAD_MAX_DEPTH": crawl.max_depth,
            "ALSOREAD_RATE": crawl.rate,
            "DOWNLOAD_DELAY": crawl.delay,
            "CONCURRENT_REQUESTS_PER_DOMAIN": crawl.concurrency,
            "AUTOTHROTTLE_TARGET_CONCURRENCY": crawl.concurrency,  # else it spaces them to one at a time
            "ALSOREAD_MAX_PAGES": limits.pages,
            "ALSOREAD_MAX_BYTES": limits.bytes,
            "ALSOREAD_MAX_SECONDS": limits.time and limits.time.total_seconds(),
            "ALSOREAD_DISK_FREE": limits.disk_free,
            "ALSOREAD_QUIET_HOURS": [str(hours) for hours in limits.quiet_hours] or None,
            "ALSOREAD_UNLISTED_PAGES": limits.unlisted_pages,
            "ALSOREAD_UNLISTED_DEPTH": limits.unlisted_depth,
            "ALSOREAD_NEW_HOSTS": limits.new_hosts,
        }
        if config.contact:
            agent, shipped = settings["USER_AGENT"], settings["ALSOREAD_CONTACT"]
            chosen["USER_AGENT"] = agent.replace(f"contact: {shipped}", f"contact: {config.contact}")
        settings.setdict(
            {name: value for name, value in chosen.items() if value is not None},
            priority=_ABOVE_THE_PROJECT,
        )
