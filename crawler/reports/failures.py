"""What `alsoread status --failed` prints: the pages that failed, and how to try them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.reports.terminal import minute, output, print_json
from crawler.text import escape_controls
from pipelines.quarantine import file_of

_MOST = 50
"""Pages that are shown unless all are asked for."""


def failed(db: Database, data: str, everything: bool) -> None:
    """The pages that failed, those of the worst host first."""
    out = output()
    pages, hosts = db.execute(
        "SELECT count(*), count(DISTINCT host) FROM pages WHERE state = 'failed'"
    ).fetchone()
    if not pages:
        out.print("No page failed.")
        return
    out.print(f"[bold]Failed pages: {pages:,}[/], hosts: {hosts:,}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("tries", justify="right")
    table.add_column("next try (UTC)", no_wrap=True)
    table.add_column("last error")
    table.add_column("page", overflow="fold")
    time = iso(now())
    for row in _failed(db, -1 if everything else _MOST):
        table.add_row(
            f"{row['attempts']}",
            minute(row["next_try"]) if row["next_try"] > time else "now",
            Text(escape_controls(row["error"] or "")),
            Text(
                escape_controls(
                    f"{row['url']}\nlook at {page}" if (page := _kept(data, row["url"])) else row["url"]
                )
            ),
        )
    out.print(table)
    if table.row_count < pages:
        out.print(
            Text(f"{pages - table.row_count:,} more: alsoread status --failed --all --data {data}"),
            soft_wrap=True,
        )
    out.print(Text(f"Try them again now: alsoread crawl --retry-failed --data {data}"), soft_wrap=True)


def failed_json(db: Database, data: str) -> None:
    """All of them, for programs; `look_at` is the raw page where it was kept."""
    pages = [row | {"look_at": _kept(data, row["url"])} for row in _failed(db, -1)]
    print_json({"failed": len(pages), "pages": pages})


def _kept(data: str, url: str) -> str | None:
    file = file_of(Path(data), url)
    return str(file) if file.is_file() else None


def _failed(db: Database, most: int) -> Iterator[dict[str, Any]]:
    # A host that asked to be left alone holds all its pages back.
    return db.query(
        """SELECT url, host, status, attempts, max(due_at, coalesce(not_before, '')) AS next_try, error
           FROM pages JOIN hosts USING (host) WHERE state = 'failed'
           ORDER BY count(*) OVER (PARTITION BY host) DESC, host, attempts DESC, url LIMIT ?""",
        [most],
    )
