"""Write and read rows of the quarantine: doubtful readings of archived articles.

A row counts while its page is `failed`; storing the article ends it. One of a re-extraction has nothing to do with
the page's state, and ends when the page is read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.items import Quarantine
from pipelines.archive import pages

RE_EXTRACTION = "re-extraction"
"""The rule for an article of which `reads_less` holds when its original is read again. Its page is not `failed`."""
_OF_VISIT = f"state = 'failed' AND rule <> '{RE_EXTRACTION}'"
"""Condition on a row and its page: it counts, and is of a visit."""
_COUNTS = f"(state = 'failed' OR rule = '{RE_EXTRACTION}')"
_ROWS = "quarantine CROSS JOIN pages ON pages.id = page"
"""All rows and their pages. SQLite would read all pages first: it does not know how few rows there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An archived article, and the reading of it that is in quarantine."""

    title: str | None
    body: str
    extractor: str
    images: int
    file_hash: str = ""
    """SHA-256 of its file, in hexadecimal."""
    cut_off: bool = False
    """Whether its page ended before its template did."""
    quarantined_hash: str | None = None
    """Hash of the body in quarantine, if any."""
    quarantined_at: datetime | None = None
    """Time since which each reading has had that body."""


def find_archived(db: Database, url: str) -> Archived | None:
    """Return the archived article of a page and its quarantine; None if it has no article."""
    row = pages.first(
        db,
        """SELECT articles.title, body, extractor, file_hash,
                  (SELECT count(*) FROM images WHERE article = articles.id) AS images,
                  state = 'stored' AND coalesce(error GLOB 'cut-off: *', 0) AS cut_off,
                  quarantine.body_hash AS quarantined_hash, quarantined_at
           FROM articles JOIN pages USING (id)
           LEFT JOIN quarantine ON page = pages.id AND """
        + f"{_OF_VISIT} WHERE articles.url = ?",
        url,
    )
    if row is None:
        return None
    since = row.pop("quarantined_at")
    row["cut_off"] = bool(row["cut_off"])
    return Archived(**row, quarantined_at=datetime.fromisoformat(since) if since else None)


def count_articles(db: Database, host: str) -> int:
    """Count the archived articles of a host."""
    row = db.execute("SELECT articles FROM host_counts WHERE host = ?", [host]).fetchone()
    return row[0] if row else 0


def put(
    db: Database, page: int, crawl: int, quarantine: Quarantine, now: str, record: int | None = None
) -> None:
    """Quarantine a page, read from the original in `record`, in the caller's transaction.

    A page in quarantine keeps its run, and its time while its text is the same.
    """
    db.execute(
        """INSERT INTO quarantine (page, crawl, rule, body_hash, quarantined_at, record) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (page) DO UPDATE SET
             rule = excluded.rule, body_hash = excluded.body_hash, record = excluded.record,
             quarantined_at = iif(body_hash IS excluded.body_hash, quarantined_at, excluded.quarantined_at)""",
        [page, crawl, quarantine.rule, quarantine.body_hash, now, record],
    )


def put_reextraction(
    db: Database, page: int, crawl: int, quarantine: Quarantine, now: str, record: int
) -> None:
    """Quarantine a re-extraction, in the caller's transaction; a page in quarantine after a visit stays as it is."""
    query = f"SELECT 1 FROM quarantine JOIN pages ON pages.id = page WHERE page = ? AND {_OF_VISIT}"
    if db.execute(query, [page]).fetchone() is None:
        put(db, page, crawl, quarantine, now, record)


def reextraction_of(db: Database, url: str) -> int | None:
    """Return the original of which a re-extraction is in quarantine; None if there is none."""
    query = f"""SELECT quarantine.record FROM quarantine JOIN pages ON pages.id = page
                WHERE url = ? AND rule = '{RE_EXTRACTION}'"""
    row = db.execute(query, [url]).fetchone()
    return row[0] if row else None


def release(db: Database, page: int) -> None:
    """Release a page from quarantine, in the caller's transaction."""
    db.execute("DELETE FROM quarantine WHERE page = ?", [page])


def count_reextractions(db: Database) -> int:
    """Count the pages whose re-extractions are in quarantine."""
    query = "SELECT count(*) FROM quarantine WHERE rule = ?"
    count: int = db.execute(query, [RE_EXTRACTION]).fetchone()[0]
    return count


def release_reextractions(db: Database, listed: Sequence[int]) -> None:
    """Release pages whose re-extractions are in quarantine, in the caller's transaction."""
    db.execute(
        "DELETE FROM quarantine WHERE rule = ? AND page IN (SELECT value FROM json_each(?))",
        [RE_EXTRACTION, json.dumps(listed)],
    )


def release_confirmed(db: Database, page: int) -> None:
    """Release a page whose archived copy is the current one: its re-extraction stays in quarantine."""
    db.execute("DELETE FROM quarantine WHERE page = ? AND rule <> ?", [page, RE_EXTRACTION])


def record_of(db: Database, url: str) -> int:
    """Return the record that a quarantined page was read from. Raises UsageError if it is not quarantined."""
    row = db.execute(
        f"SELECT record FROM quarantine JOIN pages ON pages.id = page WHERE url = ? AND {_COUNTS}",
        [url],
    ).fetchone()
    if row is None:
        raise UsageError(f"{url} is not quarantined; see `alsoread status --failed`.")
    if row[0] is None:
        raise UsageError(
            f"{url} was quarantined by an older alsoread, without its original; the next crawl that fetches it "
            "quarantines it again."
        )
    return int(row[0])


def urls_of(db: Database, patterns: Sequence[str]) -> list[str]:
    """Return the quarantined pages of the hosts that match one of the patterns."""
    rows = db.execute(f"SELECT url, host FROM {_ROWS} WHERE {_COUNTS} ORDER BY url")
    return [url for url, host in rows if any(fnmatchcase(host, pattern) for pattern in patterns)]


def counts_since(db: Database, crawl: int) -> Iterator[tuple[str, str, int]]:
    """Yield host, rule and number of the pages quarantined after a crawl."""
    yield from db.execute(
        f"""SELECT host, rule, count(*) FROM {_ROWS}
           WHERE crawl > ? AND {_OF_VISIT} GROUP BY host, rule ORDER BY host, count(*) DESC, rule""",
        [crawl],
    )
