"""History of an article: its revisions, and the diff between two of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute
from crawler.reports.terminal import output, plain, print_json
from crawler.text import escape_controls
from pipelines.archive import page_state, revisions

_HEADER_LINES = 2
_STYLES = {"@": "cyan", "-": "red", "+": "green"}
"""Style of a diff's line, by its first character."""


def print_history(db: Database, page: int) -> None:
    """Print the revisions of a page's article, the current one first, and the page's state."""
    versions, row = revisions.load(db, page), page_state.load(db, page)
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
            revision.described_changes,
            plain(revision.article.title),
        )
    console.print(table)
    console.print(plain(page_state.describe(row)), soft_wrap=True)


def print_history_json(db: Database, page: int) -> None:
    """Print the same as JSON."""
    row = page_state.load(db, page)
    history = {key: row[key] for key in ("url", "state", "status", "error", "fetched_at", "gone_at")}
    history["confirmed_at"] = page_state.confirmed_at(row)
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
