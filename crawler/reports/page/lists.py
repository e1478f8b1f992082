"""Write lists of articles and pages: the first rows, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crawler.reports.page.contents import Listing, Row
from crawler.reports.page.html import Cell, Link, heading, paragraph, table
from crawler.urls import host_of

Columns = Mapping[str, Callable[[Row], Cell]]
"""How the cell of a row is made, by the heading of its column."""


def listing(caption: str, rows: Listing, columns: Columns) -> str:
    """Return a table of a list, whose heading says how much of it is shown."""
    if not rows.total:
        return paragraph(f"{caption}: none.")
    label = f"{caption}{part_of(len(rows.rows), rows.total)}"
    cells = [[cell(row) for cell in columns.values()] for row in rows.rows]
    return heading(label) + table(label, [*columns], cells)


def part_of(shown: int, total: int) -> str:
    """Return what part of a list is shown, to end a caption with.

    >>> part_of(20, 1234), part_of(7, 7)
    (': the first 20 of 1,234', '')
    """
    return f": the first {shown:,} of {total:,}" if shown < total else ""


def article(row: Row) -> Link:
    """Return the cell of an article, or of a page without a title, by which its address stands for it."""
    if title := row.get("title"):
        return Link(title, row["url"], host_of(row["url"]))
    return Link(row["url"].removeprefix("https://"), row["url"])


def column(name: str) -> Callable[[Row], Cell]:
    """Return what makes cells of a column of the catalog."""
    return lambda row: row[name]


def day(name: str) -> Callable[[Row], Cell]:
    """Return what makes cells of the day of a time."""
    return lambda row: (row[name] or "")[:10]
