"""Every setting that leaves Scrapy's default: its value, its reason, and its effect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings, default_settings
from scrapy.utils.misc import load_object

from crawler import settings
from tests.support.hostile import Hostile
from tests.support.probe import crawl

SOURCE = Path(settings.__file__).read_text()
HOST = "http://howto.techidaily.com"

VALUES: dict[str, Any] = {
    "BOT_NAME": "alsoread",
    "SPIDER_MODULES": ["crawler.spiders"],
    "ALSOREAD_SCOPE": ["techidaily.com"],
    "ALSOREAD_DATA": "data",
    "ALSOREAD_CONNECT_TO": None,
    "SCHEDULER": "crawler.frontier.scheduler.Frontier",
    "ROBOTSTXT_OBEY": True,
    "AUTOTHROTTLE_ENABLED": True,
    "AUTOTHROTTLE_START_DELAY": 1,
    "DOWNLOAD_TIMEOUT": 30,
    "DOWNLOAD_MAXSIZE": 10 * 2**20,
    "DOWNLOAD_WARNSIZE": 0,
    "DNS_TIMEOUT": 20,
    "MEMUSAGE_LIMIT_MB": 1024,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 5,
    "TWISTED_DNS_RESOLVER": "crawler.downloader.resolver.PublicOnlyResolver",
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOAD_TLS_MIN_VERSION": "TLSv1.2",
    "LOG_LEVEL": "INFO",
    "LOG_FORMATTER": "crawler.extensions.logs.ByAddress",
}


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_has_its_value(name: str) -> None:
    assert getattr(settings, name) == VALUES[name]


@pytest.mark.parametrize("name", [name for name in dir(settings) if name.isupper()])
def test_a_setting_is_known_and_leaves_the_default(name: str) -> None:
    assert name.startswith("ALSOREAD_") or getattr(settings, name) != getattr(default_settings, name)


def test_every_setting_has_a_reason() -> None:
    lines = re.findall(r"^(?:[A-Z].* = |    \".*\": ).*[^{\n]$", SOURCE, re.MULTILINE)
    assert len(lines) > 40
    assert [line for line in lines if "  # " not in line] == []


def test_the_user_agent_has_a_name_and_a_contact() -> None:
    assert re.fullmatch(r"alsoread/[\d.]+ \(archive crawler; contact: \S+@\S+\)", settings.USER_AGENT)


def components() -> Iterator[str]:
    """Every class that the settings name."""
    for name in ("DOWNLOADER_MIDDLEWARES", "EXTENSIONS"):
        yield from getattr(settings, name)
        yield from getattr(settings, f"{name}_BASE")
    yield from settings.ITEM_PIPELINES
    yield from (path for path in settings.DOWNLOAD_HANDLERS.values() if path)
    yield from (settings.SCHEDULER, settings.DOWNLOADER, str(settings.ALSOREAD_WORKER["DOWNLOADER"]))
    yield from (settings.TWISTED_DNS_RESOLVER, settings.LOG_FORMATTER, *settings.ADDONS)


@pytest.mark.parametrize("path", list(components()))
def test_a_component_exists(path: str) -> None:
    assert callable(load_object(path))


@pytest.mark.parametrize("name", ["DOWNLOADER_MIDDLEWARES_BASE", "EXTENSIONS_BASE"])
def test_scrapys_own_components_have_its_order(name: str) -> None:
    assert getattr(settings, name).items() <= getattr(default_settings, name).items()


def test_the_order_of_the_middlewares() -> None:
    shipped = Settings()
    shipped.setmodule(settings)
    orders = shipped.get_component_priority_dict_with_base("DOWNLOADER_MIDDLEWARES")
    in_use = sorted((order, path) for path, order in orders.items() if order is not None)
    assert [path.rpartition(".")[2] for _, path in in_use if path.startswith("crawler.")] == [
        "Scope",
        "Robots",
        "HtmlOnly",
        "Conditional",
        "WholeBody",
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


def test_a_crawl_listens_on_no_port_and_keeps_no_cookies(server: Hostile) -> None:
    before = len(server.hits)
    pages = [f"{HOST}{path}" for path in ("/set-cookie/", "/302/", "/503/", "/refresh/", "/echo/")]
    proxy = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    result = crawl(pages, proxy, ALSOREAD_CONNECT_TO=server.url, CONCURRENT_REQUESTS=1)
    sent = json.loads(result.bodies[f"{HOST}/echo/"][6:-7])
    assert set(sent) == {"host", "accept", "accept-language", "accept-encoding", "user-agent", "target"}
    assert sent["user-agent"] == settings.USER_AGENT
    assert result.process["listening"] == []
    assert [hit.target for hit in server.hits[before:]] == [
        "/robots.txt",
        *(page.removeprefix(HOST) for page in pages),
    ]


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    pages = [secret.as_uri(), "data:text/html,secret", "s3://bucket/secret", "ftp://127.0.0.1/secret"]
    outcomes = crawl(
        pages, ROBOTSTXT_OBEY=False, PROBE_WITHOUT=["crawler.downloader.middlewares.Scope"]
    ).outcomes
    assert set(outcomes) == set(pages)
    assert all("no handler available for that scheme" in outcome for outcome in outcomes.values())
