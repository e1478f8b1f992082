"""Does a crawl archive exactly what a plain walk of the also-read lists reaches? Needs no trust in the spider.

python -m bench.reach SITES SEED [--sitemaps]

SITES has one folder a host; with --sitemaps, the crawl uses these too, and must archive every post of every host.
Prints both counts and what either has alone; exits with 1 where there is any.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import lxml.html
from sqlite_utils import Database

from bench.serving import served
from tests.support.walk import plain, walk


def archived(server: str, seed: str, *options: str) -> tuple[set[str], float]:
    """What a crawl archives, and the seconds that it takes."""
    with TemporaryDirectory() as data:
        command = [sys.executable, "-m", "crawler", "crawl", seed, "--json", "--connect-to", server]
        done = subprocess.run(
            [*command, "--data", data, *options], capture_output=True, text=True, check=False
        )
        db = Database(Path(data) / "archive.db")
        return {url for (url,) in db.execute("SELECT url FROM articles")}, json.loads(done.stdout)["seconds"]


def posts(sites: Path) -> set[str]:
    """Every post of every host: the pages that say so and are in a folder of their own."""
    pages = (page for page in sites.glob("*/**/index.html") if page.parent.parent != sites)
    return {_url(sites, page) for page in pages if _is_post(page)}


def _url(sites: Path, page: Path) -> str:
    return plain(f"https://{page.parent.relative_to(sites)}/")


def _is_post(page: Path) -> bool:
    document = lxml.html.document_fromstring(page.read_bytes().decode("utf-8", "replace"))
    return bool(document.xpath("//meta[@property='og:type'][@content='article']"))


def main() -> int:
    """Compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", type=Path)
    parser.add_argument("seed")
    parser.add_argument("--sitemaps", action="store_true")
    options = parser.parse_args()
    with served(options.sites) as server:
        expected = posts(options.sites) if options.sitemaps else set(walk(server, options.seed))
        discover = "both" if options.sitemaps else "links"
        found, seconds = archived(server, options.seed, "--discover", discover)
    print(f"expected: {len(expected)}  archived: {len(found)} in {seconds:.0f} s")
    for name, urls in (("missing", expected - found), ("too many", found - expected)):
        for url in sorted(urls)[:20]:
            print(f"{name}: {url}")
    return int(expected != found)


if __name__ == "__main__":
    sys.exit(main())
