"""Measure how long the also-read graph of a large archive takes, and its memory.

    python -m bench.graph [--articles 401000] [--links 600000] [--rounds 3]

Makes a scratch catalog with so many articles, some of which have also-read lists, and computes the measures of all
articles in a process of its own, in each round from scratch and then once more, where nothing changed. Prints seconds
of the wall clock and of the processor, and the peak memory over that of a process that only opened the catalog (Linux
only). The exit code is 1 where the best round takes more than 3 seconds.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sqlite_utils import Database

from pipelines.archive.connection import connect
from pipelines.archive.lock import lock_and_open

MAX_SECONDS = 3.0
_HOSTS = 300
_SOURCES = 30_000
"""Articles with an also-read list."""
_DAY = "2024-01-01T00:00:00.000Z"

_MEASURE = """
import resource, sys, time
from pathlib import Path
from pipelines.analysis import graph
from pipelines.archive.lock import open_locked
with open_locked(Path(sys.argv[1])) as db:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for expected in (True, False):
        start, cpu = time.perf_counter(), time.process_time()
        assert graph.update(db) is expected
        print(time.perf_counter() - start, time.process_time() - cpu)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


class Cost(NamedTuple):
    """Record what an update took."""

    seconds: float
    cpu_seconds: float
    unchanged_seconds: float
    """Of an update where nothing had changed."""
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=401_000)
    parser.add_argument("--links", type=int, default=600_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "archive.db"
        make(path, options.articles, options.links)
        costs = [measure(path) for _ in range(options.rounds)]
    best = min(costs)
    print(
        f"{options.articles:,} articles, {options.links:,} links: {best.seconds:.1f} s ({best.cpu_seconds:.1f} s of "
        f"a processor), {best.unchanged_seconds:.1f} s where nothing changed, {best.megabytes:.0f} MiB"
    )
    sys.exit(best.seconds > MAX_SECONDS)


def make(path: Path, articles: int, links: int) -> None:
    """Make a catalog of articles without texts, whose addresses are in another order than their ids."""
    lock, db = lock_and_open(path)
    with db.atomic():
        run = {"id": 1, "started_at": _DAY, "pid": 1, "version": "", "seeds": "[]", "options": "{}"}
        db.table("crawls").insert(run)
        db.table("hosts").insert_all({"host": f"{host}.techidaily.com"} for host in range(_HOSTS))
        order = random.Random(1).sample(range(articles), articles)  # noqa: S311
        db.conn.executemany(
            """INSERT INTO pages (id, url, host, state, depth, found_at)
               VALUES (:page, 'https://' || :host || '/a-post-with-a-name-of-usual-length-' || :number || '/',
                       :host, 'stored', 1, :day)""",
            (
                {"page": page, "host": f"{number % _HOSTS}.techidaily.com", "number": number, "day": _DAY}
                for page, number in enumerate(order, 1)
            ),
        )
        db.execute(
            """INSERT INTO articles (id, url, host, body, words, body_hash, path, extractor, archived_at, crawl,
                                     changed_at, changed_crawl)
               SELECT id, url, host, '', 0, '', url, '', found_at, 1, found_at, 1 FROM pages"""
        )
        _link(db, articles, links)
    db.close()
    lock.release()


def _link(db: Database, articles: int, links: int) -> None:
    choose = random.Random(2)  # noqa: S311
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < links:
        pairs.add((choose.randint(1, min(_SOURCES, articles)), choose.randint(1, articles)))

    def rows() -> Iterator[tuple[int, int, int, str, str]]:
        for position, (source, target) in enumerate(sorted(pairs), 1):
            yield source, target, position, _DAY, _DAY

    db.conn.executemany(
        """INSERT INTO also_read (source, target, position, text, first_seen, last_seen)
           VALUES (?, ?, ?, 'x', ?, ?)""",
        rows(),
    )


def measure(path: Path) -> Cost:
    db = connect(path)
    db.execute("DELETE FROM analyses")
    db.execute("DELETE FROM article_graph")
    db.close()
    command = [sys.executable, "-c", _MEASURE, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, cpu, unchanged, _, megabytes = map(float, output.split())
    return Cost(seconds, cpu, unchanged, megabytes)


if __name__ == "__main__":
    main()
