"""The private names of Scrapy and Twisted that the downloader relies on still exist.

Verified with Scrapy 2.19.0 and Twisted 26.10.0. When a name is gone, look in crawler/downloader/ for its use.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from scrapy.core.downloader import Downloader
from scrapy.core.downloader import Slot as DownloadSlot
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTPClientParser,
)
from scrapy.core.engine import ExecutionEngine
from scrapy.core.engine import _Slot as EngineSlot
from scrapy.core.scraper import Scraper
from scrapy.core.scraper import Slot as ScraperSlot
from scrapy.utils.test import get_crawler
from twisted.internet import reactor
from twisted.internet.testing import StringTransport
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool


def test_scrapys_engine_has_the_names_that_the_engine_module_uses() -> None:
    """Of Scrapy 2.19.0; `crawler.downloader.engine` alone uses them."""
    crawler = get_crawler(settings_dict={"DOWNLOAD_HANDLERS_BASE": {}})
    downloader = Downloader(crawler)
    try:
        assert not {"active", "domain_concurrency", "per_slot_settings", "slots"} - set(dir(downloader))
    finally:
        downloader.close()
    slot = DownloadSlot(concurrency=1, delay=0, jitter=0)
    assert not {"delay", "jitter"} - set(dir(slot))
    assert not {"queue", "active"} - set(dir(ScraperSlot()))
    assert "slot" in Scraper.__init__.__code__.co_names
    assert {"downloader", "scraper", "_slot"} <= set(ExecutionEngine.__init__.__code__.co_names)
    assert callable(ExecutionEngine.needs_backout)
    assert "nextcall" in EngineSlot.__init__.__code__.co_names


def test_scrapys_handler_has_the_names_that_http_handler_uses() -> None:
    """Of Scrapy 2.19.0."""
    handler: Any = HTTP11DownloadHandler(get_crawler())
    assert not {"_pool", "_default_maxsize"} - set(dir(handler))
    assert hasattr(handler._contextFactory.creatorForNetloc(b"localhost", 443), "_createConnection")


def test_twisteds_client_has_the_names_that_http_handler_uses() -> None:
    """Of Twisted 26.10.0."""
    pool = HTTPConnectionPool(reactor, persistent=True)
    assert not {"_reactor", "_factory", "maxPersistentPerHost"} - set(dir(pool))
    assert not {"_parser", "_currentRequest", "_finishResponse"} - set(dir(HTTP11ClientProtocol()))
    parser = _LenientHTTPClientParser(None, None)
    parser.makeConnection(StringTransport())
    assert not {"_partialHeader", "state", "MAX_LENGTH"} - set(dir(parser))
    assert hasattr(_LenientHTTP11ClientFactory(None, ""), "_quiescentCallback")
