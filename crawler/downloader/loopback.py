"""What a crawl of a loopback server leaves out."""

from __future__ import annotations

from scrapy.settings import BaseSettings

from crawler.downloader.handler import connect_to


class WithoutDelays:
    """Add-on: where ALSOREAD_CONNECT_TO stands in for every host there is nobody and no line to spare."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Takes the delays and the compression out, unless the command line sets them."""
        if connect_to(settings):
            headers = settings.getdict("DEFAULT_REQUEST_HEADERS") | {"Accept-Encoding": "identity"}
            settings.setdict(
                {
                    "ALSOREAD_HOST_FAILURES": None,
                    "ALSOREAD_RATE": None,
                    "ALSOREAD_RETRY_DELAYS": [0, 0],
                    "AUTOTHROTTLE_ENABLED": False,
                    "CONCURRENT_REQUESTS_PER_DOMAIN": settings.getint("CONCURRENT_REQUESTS"),
                    "DEFAULT_REQUEST_HEADERS": headers,
                    "DOWNLOAD_DELAY": 0,
                },
                priority="spider",
            )
