"""Time extract() and trafilatura on the same pages, in turn.

    python -m bench.extract [PAGES]

PAGES is a folder of HTML files, at any depth; without it the pages of the tests are used.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import trafilatura

from crawler.extractors import extract

FIXTURES = Path(__file__).parent.parent / "tests" / "extractors"
SAMPLE_SIZE = 200
URL = "https://bench.example.org/a-post/"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES
    files = sorted(folder.rglob("*.html"))
    pages = [path.read_bytes() for path in files[:: max(1, len(files) // SAMPLE_SIZE)]]
    articles = [page for page in pages if extract(page, URL) is not None]  # also loads the models
    if not articles:
        sys.exit(f"no article in {folder}")
    ours, theirs = [], []
    for page in articles:
        start = time.perf_counter()
        extract(page, URL)
        between = time.perf_counter()
        trafilatura.extract(
            page,
            output_format="markdown",
            include_formatting=True,
            include_images=True,
            include_links=True,
            with_metadata=True,
        )
        ours.append(between - start)
        theirs.append(time.perf_counter() - between)
    size = sum(map(len, articles)) / len(articles) / 1024
    print(f"{len(articles)} articles of {folder}, {size:.0f} KiB each")
    print(f"extract      {sum(ours) / len(articles) * 1e3:7.2f} ms a page, median {median(ours) * 1e3:.2f}")
    print(
        f"trafilatura  {sum(theirs) / len(articles) * 1e3:7.2f} ms a page, median {median(theirs) * 1e3:.2f}"
    )
    print(f"ratio        {sum(theirs) / sum(ours):7.1f}")


if __name__ == "__main__":
    main()
