"""History of an article: its revisions, and the diff between two of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from sqlite_utils import Database

from crawler.reports.terminal import minute, output, plain, print_json
from crawler.text import escape_controls
from pipelines.archive import revisions
from pipelines.archive.revisions import Revision

_HEADER_LINES = 2
_STYLES = {"@": "cyan", "-": "red", "+": "green"}
"""Style of a diff's line, by its first character."""


def print_history(db: Database, page: int) -> None:
    """Print the revisions of a page's article, the current one first, and the page's state."""
    versions, row = revisions.load(db, page), _page(db, page)
    console = output()
    console.print(plain(versions[-1].article.title or row["url"], "bold"), soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("rev", "words", "crawl"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("archived (UTC)", "until"):
        table.add_column(heading, no_wrap=True)
    for heading in ("changed", "title"):
        table.add_column(heading, overflow="fold")
    for revision in reversed(versions):
        table.add_row(
            f"{revision.number}",
            f"{revision.words:,}",
            f"{revision.crawl}",
            minute(revision.archived_at),
            minute(revision.replaced_at or "now"),
            _describe_changes(revision),
            plain(revision.article.title),
        )
    console.print(table)
    console.print(plain(_describe_state(row)), soft_wrap=True)


def print_history_json(db: Database, page: int) -> None:
    """Print the same as JSON."""
    row = _page(db, page)
    history = {key: row[key] for key in ("url", "state", "status", "error", "fetched_at", "gone_at")}
    history["confirmed_at"] = _confirmed_at(row)
    history["revisions"] = [
        {
            "number": revision.number,
            "archived_at": revision.archived_at,
            "replaced_at": revision.replaced_at,
            "crawl": revision.crawl,
            "title": revision.article.title,
            "words": revision.words,
            "changes": revision.changes,
            "reextracted": revision.reextracted,
        }
        for revision in reversed(revisions.load(db, page))
    ]
    print_json(history)


def print_diff(db: Database, page: int, number: int | None) -> None:
    """Print what a revision changed, by default the current one. Raises UsageError if there is no such."""
    print_diff_lines(revisions.diff(*revisions.pair(revisions.load(db, page), number)))


def print_diff_lines(lines: Iterable[str]) -> None:
    """Print a unified diff, coloured on a terminal; control characters are made visible."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{escape_controls(line)}\n" for line in lines)
        return
    console = output()
    for index, line in enumerate(lines):
        style = "bold" if index < _HEADER_LINES else _STYLES.get(line[:1], "")
        console.print(plain(line, style), soft_wrap=True)


def _describe_changes(revision: Revision) -> str:
    changes = ", ".join(revision.changes)
    return f"re-extracted: {changes}" if revision.reextracted else changes


def _page(db: Database, page: int) -> dict[str, Any]:
    return next(db.query("SELECT * FROM pages WHERE id = ?", [page]))


def _confirmed_at(page: dict[str, Any]) -> str | None:
    """Return when a visit last confirmed the current copy; None if the last visit did not."""
    return page["fetched_at"] if page["state"] == "stored" else None


def _describe_state(page: dict[str, Any]) -> str:
    """Describe the page's last visit in a sentence."""
    state, reason = page["state"], page["error"]
    if confirmed := _confirmed_at(page):
        return f"Last confirmed: {minute(confirmed)} UTC."
    # Catalogs of older versions have no `gone_at` until the page is visited again.
    gone = minute(page["gone_at"] or page["fetched_at"])
    if state == "gone":
        return f"The page has been gone since {gone} UTC: {reason}. The archived copy is kept."
    answered = f"{minute(page['fetched_at'])} UTC"
    if state == "failed":
        since = f", and had been gone since {gone} UTC" if page["gone_at"] else ""
        return f"The last visit failed: {reason}. The page last answered {answered}{since}."
    return f"The page is no longer an article: {reason} ({answered}). The archived copy is kept."
