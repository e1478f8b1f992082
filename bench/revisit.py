"""What does an unchanged mirror of 4,000 posts cost when it is visited again, against its first crawl?

python -m bench.revisit [SITES] [--hosts GLOB ...] [--posts 4000]

SITES has one folder a host (default: a mirror made of the demo network's posts, `--posts` of them). Crawls it by
its sitemaps, then twice more with the clock set ahead: a day and eight days after the first crawl, each from the
archive as the visit before left it. Prints seconds, requests and bytes of each, and what part of the first crawl's
they are. Exits with 1 where the visit a day later takes 3 % or more of the time or of the bytes, or did not ask the
host at all, which would be cheap and would see no change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.serving import demo_sites, served

BAR = 0.03
_LATER = (timedelta(days=1), timedelta(days=8))
_HOST = "mirror.techidaily.com"
_IS_POST = b'property="og:type" content="article"'


def visit(server: str, hosts: Sequence[str], data: Path, ahead: timedelta = timedelta(0)) -> dict[str, Any]:
    """Crawls the hosts by their sitemaps, with the clock so far ahead. Returns the run's summary.

    It is the one of `--json`: `seconds`, and in `crawl` the run's row in the catalog.
    """
    command = [sys.executable, "-m", "crawler", "crawl", *hosts, "--json", "--discover", "sitemaps"]
    command += ["--connect-to", server, "--data", str(data), *(f"--host={host}" for host in hosts)]
    environment = os.environ | {"ALSOREAD_CLOCK_OFFSET": str(ahead.total_seconds())}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        sys.exit(f"the crawl ended with {done.returncode} and without a summary")
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def mirror(folder: Path, posts: int) -> None:
    """Makes a host of so many posts, each a copy of one of the demo network's, and a sitemap that names them."""
    folder.chmod(0o755)  # a temporary folder is closed to the user that nginx may run as
    host = folder / _HOST
    host.mkdir()
    with demo_sites() as sites:
        (host / "index.html").write_bytes(min(sites.glob("*/index.html")).read_bytes())
        pages = [page for page in sorted(sites.glob("*/*/index.html")) if _IS_POST in page.read_bytes()]
        for number in range(posts):
            source = pages[number % len(pages)]
            page = host / f"{number:05}-{source.parent.name}" / "index.html"
            page.parent.mkdir()
            page.write_bytes(source.read_bytes())
    entries = (
        f"<url><loc>https://{_HOST}/{page.name}/</loc><lastmod>2024-04-02T07:00:20.115Z</lastmod></url>"
        for page in sorted(host.glob("*/"))
    )
    urlset = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
    (host / "sitemap.xml").write_text(f"{urlset}{''.join(entries)}</urlset>")
    (host / "robots.txt").write_text(f"Sitemap: https://{_HOST}/sitemap.xml\n")


def main() -> int:
    """Crawls, and visits again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--hosts", nargs="+", default=["*"], metavar="GLOB")
    parser.add_argument("--posts", type=int, default=4000, help="of the mirror that is made without SITES")
    options = parser.parse_args()
    with ExitStack() as stack:
        sites = options.sites
        if sites is None:
            sites = Path(stack.enter_context(TemporaryDirectory()))
            mirror(sites, options.posts)
        data = Path(stack.enter_context(TemporaryDirectory()))
        names = sorted(folder.name for folder in sites.iterdir() if folder.is_dir())
        hosts = [name for name in names if any(fnmatch(name, glob) for glob in options.hosts)]
        server = stack.enter_context(served(sites))
        first = visit(server, hosts, data)
        print(f"first crawl: {_figures(first)}", flush=True)
        misses = [_again(first, visit(server, hosts, data, ahead), ahead.days) for ahead in _LATER]
    return int(misses[0])


def _again(first: dict[str, Any], later: dict[str, Any], days: int) -> bool:
    """Prints a later visit and its parts of the first crawl. Returns whether it misses the bar."""
    time = later["seconds"] / first["seconds"]
    received = later["crawl"]["bytes"] / first["crawl"]["bytes"]
    asked = later["crawl"]["requests"] > 0
    missed = time >= BAR or received >= BAR or not asked
    print(f"{days} days later: {_figures(later)}")
    print(f"  time: {time:.2%}  bytes: {received:.2%}  bar: {BAR:.0%} {'MISSED' if missed else 'kept'}")
    if not asked:
        print("  nothing was asked of the host, not even its sitemaps: no change would have been seen")
    return missed


def _figures(summary: dict[str, Any]) -> str:
    row = summary["crawl"]
    kinds = ("new", "changed", "unchanged", "not_modified", "not_article", "gone", "failed")
    pages = ", ".join(f"{row[kind]} {kind}" for kind in kinds if row[kind])
    size = row["bytes"] / 2**20
    return f"{summary['seconds']:.2f} s, {row['requests']} requests, {size:.2f} MiB; pages: {pages or 'none'}"


if __name__ == "__main__":
    sys.exit(main())
