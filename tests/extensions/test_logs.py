"""The log of a run: its name, how long it is kept, and that its lines name addresses and hold no article."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import DropItem
from scrapy.http import Response

from crawler.extensions.logs import remove_old_logs
from crawler.items import FoundPages, Visit
from tests.site import SEED, Site, build, posts

DEMO = Path(__file__).parents[2] / "data" / "demo"
HOST = "https://kitchen-notes.techidaily.com"
BROKEN, DROPPED, SPIDER = (
    f"{HOST}/{slug}/" for slug in ("one-pot-lentils", "tea-time", "sharpening-a-kitchen-knife")
)

FORGED = "\n2026-11-23 04:43:12 [crawler] ERROR: forged\r2026-11-23 \x1b[2J \x9b \u202e"

_CRAWL = """
import sys
from crawler.runs.crawl import crawl, settings_with
settings = settings_with({"ALSOREAD_DATA": sys.argv[1], "ALSOREAD_CONNECT_TO": sys.argv[2], "LOG_LEVEL": "DEBUG"})
settings.set("ITEM_PIPELINES", dict(settings["ITEM_PIPELINES"]) | {"tests.extensions.test_logs.BreaksItems": 250})
settings.set("SPIDER_MIDDLEWARES", {"tests.extensions.test_logs.BreaksPages": 50})
print(crawl([sys.argv[3]], settings).log)
"""


class BreaksItems:
    """Pipeline: breaks over one article and over what sitemaps name, and drops another article."""

    def process_item(self, item: Any) -> Any:
        """The item, in most cases."""
        if isinstance(item, FoundPages) or item.url == BROKEN:
            raise RuntimeError("a fault of ours")
        if isinstance(item, Visit) and item.url == DROPPED:
            raise DropItem(f"nobody wants it{FORGED}")
        return item


class BreaksPages:
    """Spider middleware: the spider breaks over one page."""

    async def process_spider_output(
        self,
        response: Response,  # noqa: ARG002
        result: AsyncIterator[Any],
    ) -> AsyncIterator[Any]:
        """What the spider yields, in most cases."""
        async for item in result:
            if getattr(item, "url", None) == SPIDER:
                raise RuntimeError("a fault of the spider")
            yield item


class Crawled:
    """A crawl whose parts break, and its log."""

    def __init__(self, folder: Path) -> None:
        build(DEMO, folder / "network")
        with Site(folder / "network") as site:
            command = [sys.executable, "-c", _CRAWL, str(folder / "data"), site.url, SEED]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        self.logs = folder / "data" / "logs"
        self.told = done.stdout.strip()
        self.text = Path(self.told).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return Crawled(tmp_path_factory.mktemp("logs"))


def test_a_run_has_one_log_with_its_number(crawled: Crawled) -> None:
    assert [str(log) for log in crawled.logs.iterdir()] == [crawled.told]
    assert re.fullmatch(r"crawl-000001-\d{8}T\d{6}Z\.log", Path(crawled.told).name)
    assert crawled.text.rstrip().endswith("Spider closed (finished)"), "the log is written to its end"


def test_every_line_that_warns_names_an_address(crawled: Crawled) -> None:
    told = re.findall(r"^\S+ \S+ \[\S+\] (?:WARNING|ERROR|CRITICAL): .*", crawled.text, re.MULTILINE)
    assert [line for line in told if "https://" not in line] == []
    for said in (
        f"ERROR: Error storing {BROKEN}: a fault of ours",
        f"WARNING: Dropped {DROPPED}: nobody wants it",
        f"ERROR: Spider error processing <GET {SPIDER}>",
        f"ERROR: Error storing {HOST}/sitemap.xml: a fault of ours",
    ):
        assert any(said in line for line in told), said


def test_no_line_is_forged_and_none_steers_a_terminal(crawled: Crawled) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", crawled.text)
    [line] = set(re.findall(r".*forged.*", crawled.text))
    assert line == r"    2026-11-23 04:43:12 [crawler] ERROR: forged\r2026-11-23 \x1b[2J \x9b \u202e"


def test_no_article_is_written_into_the_log(crawled: Crawled) -> None:
    for post in posts(DEMO):
        assert max(post.article.body.splitlines(), key=len) not in crawled.text, post.url


def test_old_logs_are_removed(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    logs = tmp_path / "logs"
    logs.mkdir()
    old = [
        "crawl-000001-20260824T235959Z.log",
        "crawl-1000000-20260101T000000Z.log",
        "crawl-20260101T000000Z.log",
    ]
    kept = [
        "crawl-000002-20260825T000000Z.log",
        "crawl-000003-20261123T000000Z.log",
        "crawl-notes.log",
        "my.log",
    ]
    for name in old + kept:
        (logs / name).touch()
    assert remove_old_logs(tmp_path, timedelta(days=90), now) == len(old)
    assert sorted(log.name for log in logs.iterdir()) == sorted(kept)
    assert remove_old_logs(tmp_path / "nowhere", timedelta(days=90), now) == 0
