"""How fast is a whole crawl, against a Scrapy spider that only fetches the same pages?

python -m bench.crawl [SITES] [--pages 1000] [--rounds 3]

SITES has one folder a host (default: the demo network). Prints pages a second of both, and their ratio, of
each round and of the median round. Rounds take turns, so that a busy machine is busy for both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.serving import served, sites_of

_BARE = """
import json, sys
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess

server, pages = sys.argv[1], json.loads(sys.stdin.read())

class Bare(Spider):
    name = "bare"
    async def start(self):
        for host, path in pages:
            yield Request(f"{server}/{path}/", headers={"Host": host}, dont_filter=True)
    def parse(self, response):
        pass

process = AsyncCrawlerProcess({
    "LOG_LEVEL": "ERROR", "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0,
    "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False,
})
crawler = process.create_crawler(Bare)
process.crawl(crawler)
process.start()
stats = crawler.stats.get_stats()
print(json.dumps([stats["downloader/response_status_count/200"], stats["elapsed_time_seconds"]]))
"""


def sample(sites: Path, most: int) -> list[tuple[str, str]]:
    """The host and the path of so many posts at most, evenly from all of them."""
    found = [page.parent for page in sorted(sites.glob("*/*/index.html"))]
    return [(post.parent.name, post.name) for post in found[:: max(1, len(found) // most)][:most]]


def command(data: Path, server: str, seeds: Sequence[str], *options: str) -> list[str]:
    """A crawl by links that prints its summary as JSON."""
    crawl = [sys.executable, "-m", "crawler", "crawl", *seeds, "--json", "--discover", "links"]
    return [*crawl, "--connect-to", server, "--data", str(data), *options]


def bare(server: str, pages: list[tuple[str, str]]) -> float:
    """Pages a second of the spider that only fetches."""
    spider = [sys.executable, "-c", _BARE, server]
    done = subprocess.run(spider, input=json.dumps(pages), capture_output=True, text=True, check=True)
    fetched, seconds = json.loads(done.stdout)
    return float(fetched / seconds)


def whole(server: str, pages: list[tuple[str, str]], hosts: list[str], data: Path) -> float:
    """Pages a second of our crawl: fetched, read, written and committed with their links."""
    data.mkdir()
    seeds = data / "seeds.txt"
    seeds.write_text("".join(f"https://{host}/{path}/\n" for host, path in pages))
    options = ["--max-pages", str(len(pages)), *(f"--host={host}" for host in hosts)]
    done = subprocess.run(
        command(data, server, [str(seeds)], *options), capture_output=True, text=True, check=False
    )
    summary = json.loads(done.stdout)
    return float(summary["crawl"]["new"] / summary["seconds"])


def main() -> None:
    """Runs the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    # The archives are deleted at the end: ext4 is slow to make files right after many were deleted.
    with TemporaryDirectory() as data, sites_of(options.sites) as sites, served(sites) as server:
        hosts = sorted(folder.name for folder in sites.iterdir() if folder.is_dir())
        pages = sample(sites, options.pages)
        for number in range(options.rounds):
            fetching, archiving = bare(server, pages), whole(server, pages, hosts, Path(data, str(number)))
            ratios.append(archiving / fetching)
            print(
                f"only fetched: {fetching:.0f}/s  archived: {archiving:.0f}/s  ratio: {ratios[-1]:.2f}",
                flush=True,
            )
    print(f"median ratio: {median(ratios):.2f}")


if __name__ == "__main__":
    main()
