"""A crawl in a process of its own, with the project's settings: a reactor cannot be started twice.

`crawl` starts it. The process reads its job from standard input, and writes one line of JSON for each outcome
and one for itself.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.http import Response, TextResponse
from scrapy.resolver import CachingThreadedResolver
from scrapy.settings import Settings
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.responses import Failed, Refused

ALONE: dict[str, Any] = {
    # Without the archive, and at full speed.
    "SPIDER_MODULES": [],
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "ITEM_PIPELINES": {},
    "EXTENSIONS": {},
    "ADDONS": {},
    "ALSOREAD_RATE": None,
    "AUTOTHROTTLE_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "LOG_LEVEL": "CRITICAL",
}


@dataclass
class Crawl:
    """What a probe came to: the outcome of each address, and the last line."""

    outcomes: dict[str, str]
    bodies: dict[str, str]
    process: dict[str, Any]


OPEN: dict[str, Any] = {
    # For what ALSOREAD_CONNECT_TO switches off: any port, and every name is at 127.0.0.1.
    "PROBE_WITHOUT": ["crawler.downloader.middlewares.Scope"],
    "TWISTED_DNS_RESOLVER": "tests.support.probe.Loopback",
}


def crawl(pages: Sequence[str | dict[str, Any]], env: dict[str, str] | None = None, **settings: Any) -> Crawl:
    """Crawls the pages. An outcome is a status, or `Refused: ...`, `Failed: ...`, with the error's words.

    PROBE_WITHOUT names downloader middlewares to leave out, PROBE_PATCH gives constants another value.
    """
    job = {
        "pages": [page if isinstance(page, dict) else {"url": page} for page in pages],
        "settings": settings,
    }
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.probe"],
        input=json.dumps(job),
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr, run.stderr
    *lines, process = map(json.loads, run.stdout.splitlines())
    return Crawl(
        {line["url"]: line["outcome"] for line in lines},
        {line["url"]: line["body"] for line in lines if "body" in line},
        process,
    )


class Probe(Spider):
    """Asks for what it was told to, and says what came of it."""

    name = "probe"
    pages: list[dict[str, Any]]
    process: dict[str, Any]

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.process = {"robots_parsed": []}
        crawler.signals.connect(spider.robots_parsed, signals.robots_parsed)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        self.process["rss"] = _peak_rss()
        for number, page in enumerate(self.pages):
            yield Request(
                page["url"],
                callback=self.parse,
                errback=self.failed,
                meta={"page": page["url"], "handle_httpstatus_all": True} | page.get("meta", {}),
                cb_kwargs={"url": page["url"]},
                priority=-number,
                dont_filter=True,
            )

    def parse(self, response: Response, url: str) -> None:
        body = response.text if isinstance(response, TextResponse) else repr(response.body)
        print(json.dumps({"url": url, "outcome": str(response.status), "body": body}))

    def failed(self, failure: Failure) -> None:
        error = failure.value
        url = failure.request.cb_kwargs["url"]  # type: ignore[attr-defined]
        kind = type(error).__name__ if isinstance(error, Refused | Failed) else "Other"
        print(json.dumps({"url": url, "outcome": f"{kind}: {error}"}))

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        self.process["robots_parsed"].append([request.url, list(robotparser.rp.sitemaps)])

    def idle(self) -> None:
        self.process["listening"] = _listening()

    def closed(self, reason: str) -> None:
        self.process |= {"reason": reason, "grown": _peak_rss() - self.process["rss"]}
        print(json.dumps(self.process))


class Loopback(CachingThreadedResolver):
    """Finds every name here."""

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: ARG002, N802
        return succeed("127.0.0.1")


def _peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _listening() -> list[str]:
    """The sockets of this process that wait for connections."""
    ours = {f"socket:[{fd.stat().st_ino}]" for fd in Path("/proc/self/fd").iterdir() if fd.is_socket()}
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours]


def main() -> None:
    job = json.load(sys.stdin)
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.update(ALONE | job["settings"], priority="cmdline")
    for component in settings.getlist("PROBE_WITHOUT"):
        settings["DOWNLOADER_MIDDLEWARES"][component] = None
    for name, value in settings.getdict("PROBE_PATCH").items():
        module, _, constant = name.rpartition(".")
        setattr(import_module(module), constant, value)
    process = CrawlerProcess(settings)
    process.crawl(Probe, pages=job["pages"])
    process.start()


if __name__ == "__main__":
    main()
