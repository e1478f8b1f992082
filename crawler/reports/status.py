"""State of an archive: its counts, its largest hosts, why pages are missing, the last crawl and its alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute
from crawler.config.file import read_config
from crawler.config.options import scrapy_settings
from crawler.frontier.due import count_due
from crawler.items import EXTRACTOR_VERSION
from crawler.reports.alarms import grouped
from crawler.reports.crawls import crawl_values
from crawler.reports.terminal import output, plain, print_json
from crawler.text import counted
from pipelines.archive import alarms, quarantine
from pipelines.archive.schema import NO_COPY, NOT_ARCHIVED

STATES = {
    "stored": "archived",
    "due": "known, not fetched yet",
    "not_article": "no article (home page, listing, redirect)",
    "gone": "gone (404, 410)",
    "refused": "refused by a rule",
    "failed": "failed, will be retried",
}
"""What each state of a page means, for people."""
_PICTURE_STATES = ("failed", "refused", "gone")


def print_status(db: Database, data: str) -> None:
    """Print the state of the archive in the folder `data`, for people."""
    console = output()
    counts = _counts(db, data)
    console.print(
        f"[bold]{escape(data)}[/]: {counted(counts['articles'], 'article')} of "
        f"{counted(counts['hosts'], 'host')}, {counted(counts['words'], 'word')}"
    )
    pages = _table("pages", "")
    for state, meaning in STATES.items():
        if count := counts["pages"].get(state):
            pages.add_row(f"{count:,}", meaning)
    console.print(pages)
    console.print(f"Due now: {counted(counts['due'], 'page')}.")
    console.print(plain(_images_in_words(counts["images"])), soft_wrap=True)
    hosts = _table("articles", "host", "first", "last")
    for row in db.query("SELECT * FROM articles_by_host LIMIT 10"):
        dates = ((row[name] or "")[:10] for name in ("first_date", "last_date"))
        hosts.add_row(f"{row['articles']:,}", plain(row["host"]), *dates)
    console.print(hosts)
    _print_reasons(console, db)
    for sentence in _older_in_words(counts["older_extractor"], data):
        console.print(plain(sentence), soft_wrap=True)
    if last := counts["last_crawl"]:
        console.print(
            f"Last crawl: {last['id']}, {last['outcome'] or 'running'}, "
            f"{minute(last['started_at'])} UTC: {counted(last['pages'], 'page')}, {last['new']:,} new, "
            f"{last['changed']:,} changed, {last['failed']:,} failed"
        )
    for crawl, message in grouped(alarms.recent(db), data):
        console.print(plain(f"Warning (crawl {crawl}): {message}", "yellow"), soft_wrap=True)


def print_status_json(db: Database, data: str) -> None:
    """Print the counts, the last crawl and the recent alarms as JSON."""
    counts = _counts(db, data)
    last = counts["last_crawl"]
    print_json(counts | {"last_crawl": last and crawl_values(last)})


def _counts(db: Database, data: str) -> dict[str, Any]:
    """Counts of articles, pages and images, the row of the last crawl, and alarms of it and of the last week."""
    folder = Path(data)
    archived = next(
        db.query(
            """SELECT coalesce(sum(articles), 0) AS articles, coalesce(sum(words), 0) AS words, count(*) AS hosts
               FROM host_counts WHERE articles > 0"""
        )
    )
    return archived | {
        "pages": dict(
            db.execute(
                "SELECT state, sum(pages) FROM state_counts GROUP BY state HAVING sum(pages) > 0"
            ).fetchall()
        ),
        "due": count_due(folder, scrapy_settings(read_config(folder))),
        "images": _images(db),
        "older_extractor": _older_extractor(db),
        "last_crawl": next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"), None),
        "alarms": [run | asdict(alarm) for run, alarm in alarms.recent(db)],
    }


def _older_extractor(db: Database) -> dict[str, int]:
    """Articles that older extractors read, those of them with originals, and re-extractions in quarantine."""
    articles, with_original = db.execute(
        """SELECT count(*), count(record) FROM (
             SELECT record, extractor FROM articles WHERE extractor_version IS NULL
             UNION ALL SELECT record, extractor FROM articles WHERE extractor_version < ?)
           WHERE extractor IN ('redefine', 'generic')""",  # two ranges of an index, and few articles in them
        [EXTRACTOR_VERSION],
    ).fetchone()
    return {
        "articles": articles,
        "with_original": with_original,
        "quarantined": quarantine.count_reextractions(db),
    }


def _older_in_words(older: Mapping[str, int], data: str) -> Iterator[str]:
    if left := older["with_original"] - older["quarantined"]:
        were = counted(left, "article was", "articles were")
        yield (
            f"{were} read by an older extractor; to read the originals again: "
            f"alsoread reextract --older-than-extractor --data {data}"
        )
    if older["quarantined"]:
        were = counted(older["quarantined"], "re-extraction is", "re-extractions are")
        yield f"{were} in quarantine; to see why: alsoread reextract --older-than-extractor --dry-run --data {data}"


def _images(db: Database) -> dict[str, Any]:
    """Images in texts, one in two of them twice; copies, also of thumbnails, and those without one by state."""
    in_texts = db.execute("SELECT coalesce(sum(images), 0) FROM host_counts").fetchone()[0]
    requested = db.execute("SELECT count(*) FROM pictures").fetchone()[0]
    reasons = db.execute(
        f"SELECT state, error, count(*) FROM pictures WHERE {NO_COPY} GROUP BY error, state ORDER BY 3 DESC"
    ).fetchall()
    missing = {name: sum(count for state, _, count in reasons if state == name) for name in _PICTURE_STATES}
    return {
        "in_texts": in_texts,
        "copies": requested - sum(missing.values()),
        "missing": sum(missing.values()),
        **missing,
        "commonest_reason": reasons[0][1] if reasons else None,
    }


def _images_in_words(images: Mapping[str, Any]) -> str:
    copies = counted(images["copies"], "copy", "copies")
    if not images["missing"]:
        return f"Images: {images['in_texts']:,} in texts; {copies}, thumbnails included."
    states = ", ".join(f"{images[state]:,} {state}" for state in _PICTURE_STATES if images[state])
    return (
        f"Images: {images['in_texts']:,} in texts; {copies} and {images['missing']:,} missing ({states}), "
        f"thumbnails included. The commonest reason: {images['commonest_reason']}."
    )


def _print_reasons(console: Console, db: Database) -> None:
    reasons = _table("pages", "why not archived", "for instance")
    for row in db.query(
        f"""SELECT pages, reasons.error, url FROM (
              SELECT count(*) AS pages, error, min(id) AS example FROM pages
              WHERE {NOT_ARCHIVED} GROUP BY error ORDER BY pages DESC LIMIT 5) AS reasons
            JOIN pages AS known ON known.id = example ORDER BY pages DESC"""
    ):
        reasons.add_row(f"{row['pages']:,}", plain(row["error"]), plain(row["url"]))
    if reasons.row_count:
        console.print(reasons)


def _table(*headings: str) -> Table:
    return Table(*headings, box=None, padding=(0, 2), header_style="dim")
