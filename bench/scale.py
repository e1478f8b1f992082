"""How quick are answers about an archive of 500,000 articles with 5,000,000 links?

python -m bench.scale [--articles 500000] [--links 10] [--keep DIR]

Builds such an archive in a temporary folder, which takes minutes and 4 GB, or in DIR, where it is used again. Prints
the seconds that commands take (the quickest of three) and that the first 100 rows of every view take; then how
much longer a page takes that is crawled into a copy of it than into an empty archive, in turns. Exits with 1 where
`status` takes more than 0.5 s, `show` 0.4 s, `original` 0.3 s, a view 1 s, `--version` 0.15 s, or a page 1.1 times
as long.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlite_utils import Database

from bench.crawl import sample
from bench.known import crawl
from bench.revisit import mirror
from bench.serving import served
from crawler.clock import now
from crawler.items import Exchange
from pipelines.analysis.update import update_archive
from pipelines.archive import records
from pipelines.archive.catalog import Catalog
from pipelines.archive.maintenance import maintain
from pipelines.archive.warc import FOLDER, WarcWriter

HOSTS = 300
PAGES_PER_ARTICLE = 2
"""Every second page is an article: the others are known only from links."""
VIEW_SECONDS = 1.0
CRAWLED_PAGES, ROUNDS = 2000, 5

_WORDS = (
    "soup",
    "bread",
    "garden",
    "kettle",
    "ladder",
    "window",
    "river",
    "paper",
    "button",
    "candle",
    "basket",
)
_NUMBERS = "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :{})"
_URL = "printf('https://blog-%03d.techidaily.com/%08x-a-post/', {0} % :hosts, {0} * 2654435761 % (1 << 32))"
_HOST = "printf('blog-%03d.techidaily.com', {} % :hosts)"
_STATEMENTS = (
    "INSERT INTO hosts (host) WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number "
    f"WHERE n + 1 < :hosts) SELECT {_HOST.format('n')} FROM number",
    f"""{_NUMBERS.format("pages")}
        INSERT INTO pages (id, url, host, state, depth, found_at, due_at, fetched_at, status, error)
        SELECT n + 1, {_URL.format("n")}, {_HOST.format("n")},
               CASE WHEN n < :articles THEN 'stored' WHEN n % 5 = 0 THEN 'failed' ELSE 'due' END,
               n % 7, '2025-01-01T00:00:00.000Z',
               iif(n < :articles, '2027-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'),
               iif(n < :articles, '2025-06-01T00:00:00.000Z', NULL), iif(n < :articles, 200, NULL),
               iif(n >= :articles AND n % 5 = 0, 'timed out after ' || n % 100 || ' s', NULL)
        FROM number""",
    f"""{_NUMBERS.format("articles")}
        INSERT INTO articles (id, url, host, title, author, date, body, words, body_hash, path, extractor,
                              archived_at, crawl, changed_at, changed_crawl)
        SELECT n + 1, {_URL.format("n")}, {_HOST.format("n")}, text(n, 6), text(n % 50, 2),
               strftime('%Y-%m-%dT%H:%M:%fZ', '2023-01-01', n % 900 || ' days'), text(n, 40) || :padding, 40,
               printf('%064x', n / iif(n % 100, 1, 200)), n || '.md', 'redefine', '2025-06-01T00:00:00.000Z', 1,
               '2025-06-01T00:00:00.000Z', 1
        FROM number""",
    f"""{_NUMBERS.format("articles")}
        INSERT INTO also_read (source, target, position, text, first_seen, last_seen)
        SELECT n + 1, 1 + (n * 7919 + position * position * 104729) % :pages, position, 'A post to read as well',
               '2025-06-01T00:00:00.000Z', '2025-06-01T00:00:00.000Z'
        FROM number JOIN (SELECT value AS position FROM json_each(:positions)) ORDER BY n
        ON CONFLICT DO NOTHING""",
    f"""{_NUMBERS.format("articles")}
        INSERT INTO images (article, position, url)
        SELECT n + 1, position, printf('https://pictures.example.com/%d-%d.webp', n, position)
        FROM number JOIN (SELECT value AS position FROM json_each('[1, 2, 3]')) ORDER BY n""",
)

_RECORDS = """
INSERT INTO warc_records (url, fetched_at, status, kind, type, digest, file, offset, length)
SELECT url, '2025-06-01T00:00:00.000Z', 200, 'response', 'text/html', printf('sha1:%032d', id), 1, id * 30000, 30000
FROM pages"""


def build(data: Path, articles: int, links: int) -> None:
    """Build an archive of so many articles, with so many also-read links each and three images, in 300 hosts."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[])
    catalog.begin_crawl()
    db = catalog.db
    db.register_function(_text, name="text", deterministic=True)
    db.execute("PRAGMA cache_size = -2000000")
    values = {
        "hosts": HOSTS,
        "articles": articles,
        "pages": articles * PAGES_PER_ARTICLE,
        "positions": str([*range(1, links + 1)]),
        "padding": "\n\n    " + "- " * 1500,  # as long as an article's text is, with no words to index
    }
    for statement in _STATEMENTS:
        start = perf_counter()
        with db.atomic():
            db.execute(statement, values)
        print(
            f"{statement.partition('INSERT INTO ')[2].split()[0]}: {perf_counter() - start:.0f} s", flush=True
        )
    with db.atomic():
        _add_originals(db, data)
    catalog.end_crawl("finished")
    catalog.close()


def _add_originals(db: Database, data: Path) -> None:
    """Insert a record for each page. Only that of the article that is looked at has a file."""
    db.execute("INSERT INTO warc_files (id, name) VALUES (1, 'elsewhere.warc.gz')")
    db.execute(_RECORDS)
    page, url = _article(db.conn)
    response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>A post.</p>"
    exchange = Exchange(
        url=url, request=b"GET / HTTP/1.1\r\n\r\n", response=response, began_at=now(), ip=None
    )
    warc = WarcWriter(data / FOLDER, 1, {})
    record = records.keep(db, warc, exchange)
    warc.close()
    db.execute("UPDATE articles SET record = ? WHERE id = ?", [record, page])


def _article(db: sqlite3.Connection) -> tuple[int, str]:
    """Return the article that is looked at."""
    query = "SELECT id, url FROM articles WHERE id = (SELECT max(id) / 2 FROM articles)"
    page, url = db.execute(query).fetchone()
    return page, url


def _text(number: int, words: int) -> str:
    """Return a text of so many words, another one for each number."""
    return " ".join(_WORDS[(number // (index + 1) + index) % len(_WORDS)] for index in range(words))


def main(arguments: Sequence[str] | None = None) -> bool:
    """Return whether everything was quick enough."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=500_000)
    parser.add_argument("--links", type=int, default=10)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        data: Path = options.keep or Path(folder)
        if not (data / "archive.db").exists():
            build(data, options.articles, options.links)
        maintain(data / "archive.db")  # as every archive is once a week
        update_archive(data / "archive.db")  # else every crawl into a copy would compare all articles
        return all([*_time_commands(data), *_time_views(data), _time_crawls(data)])


def _time_commands(data: Path) -> list[bool]:
    with closing(sqlite3.connect(data / "archive.db")) as db:
        _, url = _article(db)
    commands = (
        (0.15, ["--version"]),
        (0.5, ["status", "--data", str(data)]),
        (0.4, ["show", url, "--data", str(data)]),
        (0.3, ["original", url, "--data", str(data)]),
    )
    return [
        _within(f"alsoread {words[0]}", limit, min(_run(words) for _ in range(3)))
        for limit, words in commands
    ]


def _run(words: Sequence[str]) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "crawler", *words], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def _time_views(data: Path) -> list[bool]:
    with closing(sqlite3.connect(f"file:{data / 'archive.db'}?mode=ro", uri=True)) as db:
        views = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
        ]
        return [_within(view, VIEW_SECONDS, _read(db, view)) for view in views]


def _read(db: sqlite3.Connection, view: str) -> float:
    start = perf_counter()
    db.execute(f"SELECT * FROM {view} LIMIT 100").fetchall()
    return perf_counter() - start


def _time_crawls(data: Path) -> bool:
    with TemporaryDirectory() as folder, TemporaryDirectory() as mirrored:
        scratch, sites = Path(folder), Path(mirrored)
        mirror(sites, CRAWLED_PAGES)
        pages = [f"https://{host}/{path}/" for host, path in sample(sites, CRAWLED_PAGES)]
        hosts = [host.name for host in sites.iterdir()]
        ratios = []
        with served(sites) as server:
            for number in range(ROUNDS):
                empty, large = scratch / f"empty {number}", scratch / f"large {number}"
                empty.mkdir()
                shutil.copytree(data, large)
                os.sync()  # else the disk is still writing the copy
                once, again = (crawl(archive, server, hosts, pages).per_page for archive in (empty, large))
                shutil.rmtree(large)
                ratios.append(again / once)
    return _within("a page, against empty", 1.1, median(ratios), "times")


def _within(name: str, limit: float, value: float, unit: str = "s") -> bool:
    print(
        f"{name:24} {value:6.3f} {unit} of {limit} {unit}{'' if value <= limit else '  TOO SLOW'}", flush=True
    )
    return value <= limit


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
