"""What does it cost to keep originals: time a page, and bytes, against wget's WARC file?

python -m bench.originals [SITES] [--pages 900] [--rounds 5]

SITES has one folder a host (default: a mirror made of the demo network's posts). The same pages are crawled with and
without WARC files, in turns. Where wget is installed, it fetches all that the crawl did. The host with the fewest
pages is crawled whole, and once more the day after. Exits with 1 where a crawl with WARC files takes more than 1.05
times as long, is larger than 1.02 times wget's file, or where the crawl of the day after adds 2 % or more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.crawl import command, sample
from bench.revisit import mirror
from bench.serving import served
from crawler.content_encoding import ENCODINGS

TIME, SIZE, AGAIN = 1.05, 1.02, 0.02
_DAY = {"ALSOREAD_CLOCK_OFFSET": str(2 * 86_400)}


def crawl(
    data: Path, server: str, pages: Sequence[str], *options: str, env: dict[str, str] | None = None
) -> float:
    """Crawl these pages, and return the seconds that it took."""
    data.mkdir(exist_ok=True)
    seeds = data / "seeds.txt"
    seeds.write_text("".join(f"{page}\n" for page in pages))
    hosts = sorted({page.split("/")[2] for page in pages})
    done = subprocess.run(
        command(data, server, [str(seeds)], *(f"--host={host}" for host in hosts), *options),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (env or {}),
    )
    return float(json.loads(done.stdout)["seconds"])


def size(data: Path) -> int:
    """Return the bytes of the WARC files of an archive."""
    return sum(path.stat().st_size for path in (data / "warc").glob("*.warc.gz"))


def day_after(data: Path, server: str, sites: Path) -> float:
    """Crawl a whole host twice, a day apart; return what the second crawl adds to the bytes of the first."""
    host = min(
        (host for host in sites.iterdir() if host.is_dir()), key=lambda host: len(list(host.iterdir()))
    )
    sizes = []
    for env in ({}, _DAY):
        crawl(data, server, [f"https://{host.name}/"], "--discover", "both", env=env)
        sizes.append(size(data))
    return (sizes[1] - sizes[0]) / sizes[0]


def wget(folder: Path, server: str, data: Path) -> int:
    """Fetch with wget what a crawl fetched, and return the bytes of its WARC file."""
    urls = folder / "urls.txt"
    with closing(sqlite3.connect(data / "archive.db")) as db:
        fetched = [url for (url,) in db.execute("SELECT url FROM warc_records")]
    # By an absolute address through a proxy, so that each is asked of its own host.
    urls.write_text("".join(f"{url.replace('https://', 'http://')}\n" for url in fetched))
    options = [
        "--warc-file",
        str(folder / "wget"),
        "--no-warc-keep-log",
        "-q",
        "-O",
        "/dev/null",
        "-i",
        str(urls),
    ]
    # As the crawl asks for them: a page that the server compresses is stored so.
    options += ["--header", "Accept-Encoding: " + ", ".join(ENCODINGS)]
    proxy = {"http_proxy": server, "no_proxy": ""}
    subprocess.run(["wget", *options], check=False, env=os.environ | proxy)
    return (folder / "wget.warc.gz").stat().st_size


def main() -> int:
    """Crawl in turns, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--pages", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        sites: Path = options.sites or folder / "sites"
        if not options.sites:
            sites.mkdir()
            mirror(sites, options.pages)
        server = stack.enter_context(served(sites))
        pages = [f"https://{host}/{path}/" for host, path in sample(sites, options.pages)]
        ratios = []
        limit = ["--max-pages", str(len(pages))]
        for number in range(options.rounds):
            without = crawl(folder / f"without {number}", server, pages, *limit, "--no-warc")
            kept = crawl(folder / f"with {number}", server, pages, *limit)
            ratios.append(kept / without)
            print(f"without: {len(pages) / without:.0f}/s  with: {len(pages) / kept:.0f}/s", flush=True)
        data = folder / "with 0"
        first = size(data)
        again = day_after(folder / "host", server, sites)
        time = median(ratios)
        print(f"time a page: {time:.3f} of {TIME}; {first / len(pages):.0f} bytes a page")
        print(f"bytes that the day after adds: {again:.4f} of {AGAIN}")
        fine = time <= TIME and again < AGAIN
        if shutil.which("wget"):
            ratio = first / wget(folder, server, data)
            print(f"bytes against wget's: {ratio:.3f} of {SIZE}")
            fine &= ratio <= SIZE
        return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
