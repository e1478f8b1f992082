"""Failed pages: their last errors, and when they are retried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute, now
from crawler.items import iso
from crawler.reports.terminal import output, plain, print_json

_SHOWN_PAGES = 50
_NO_LIMIT = -1


def print_failures(db: Database, data: str, show_all: bool) -> None:
    """Print the failed pages, those of the worst host first; the first 50 unless all are asked for."""
    console = output()
    pages, hosts = db.execute(
        "SELECT count(*), count(DISTINCT host) FROM pages WHERE state = 'failed'"
    ).fetchone()
    if not pages:
        console.print("No failed pages.")
        return
    console.print(f"[bold]Failed pages: {pages:,}[/], hosts: {hosts:,}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("tries", justify="right")
    table.add_column("next try (UTC)", no_wrap=True)
    table.add_column("last error")
    table.add_column("page", overflow="fold")
    time = iso(now())
    for row in _query(db, _NO_LIMIT if show_all else _SHOWN_PAGES):
        next_try = minute(row["next_try"]) if row["next_try"] > time else "now"
        look = f"in quarantine: alsoread original {row['url']} --quarantined --data {data}"
        page = f"{row['url']}\n{look}" if row["quarantined"] else row["url"]
        table.add_row(f"{row['attempts']}", next_try, plain(row["error"]), plain(page))
    console.print(table)
    if table.row_count < pages:
        rest = pages - table.row_count
        console.print(plain(f"{rest:,} more: alsoread status --failed --all --data {data}"), soft_wrap=True)
    console.print(plain(f"Retry them now: alsoread crawl --retry-failed --data {data}"), soft_wrap=True)


def print_failures_json(db: Database) -> None:
    """Print all of them as JSON."""
    pages = [row | {"quarantined": bool(row["quarantined"])} for row in _query(db, _NO_LIMIT)]
    print_json({"failed": len(pages), "pages": pages})


def _query(db: Database, limit: int) -> Iterator[dict[str, Any]]:
    # A host that asked to be left alone holds all its pages back.
    return db.query(
        """SELECT url, host, status, attempts, max(due_at, coalesce(not_before, '')) AS next_try, error,
             pages.id IN (SELECT page FROM quarantine) AS quarantined
           FROM pages JOIN hosts USING (host) WHERE state = 'failed'
           ORDER BY count(*) OVER (PARTITION BY host) DESC, host, attempts DESC, url LIMIT ?""",
        [limit],
    )
