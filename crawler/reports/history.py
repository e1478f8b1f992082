"""What the commands print of an article's past: its revisions, and what one of them changed."""

from __future__ import annotations

import sys
from typing import Any

from rich.table import Table
from rich.text import Text
from sqlite_utils import Database

from crawler.reports.terminal import minute, output, print_json
from crawler.text import escape_controls
from pipelines.archive import revisions
from pipelines.archive.revisions import Revision

_STYLES = {"---": "bold", "+++": "bold", "@@": "cyan", "-": "red", "+": "green"}
"""How a line of a diff is shown, by how it begins."""
_HEAD = 2
"""Lines of a diff that name the revisions; behind them, `---` is a line of three hyphens."""


def history(db: Database, page: int) -> None:
    """The revisions of a page's article, the current one first, and how the page stands."""
    kept, row = revisions.load(db, page), _page(db, page)
    out = output()
    out.print(Text(escape_controls(kept[-1].article.title or row["url"]), style="bold"), soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("rev", "words", "crawl"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("archived (UTC)", "until"):
        table.add_column(heading, no_wrap=True)
    for heading in ("changed", "title"):
        table.add_column(heading, overflow="fold")
    for revision in reversed(kept):
        table.add_row(
            f"{revision.number}",
            f"{revision.words:,}",
            f"{revision.crawl}",
            minute(revision.archived_at),
            minute(revision.replaced_at or "now"),
            ", ".join(revision.changes),
            Text(escape_controls(revision.article.title or "")),
        )
    out.print(table)
    out.print(Text(escape_controls(_standing(row))), soft_wrap=True)


def history_json(db: Database, page: int) -> None:
    """The same for programs."""
    row = _page(db, page)
    facts = {key: row[key] for key in ("url", "state", "status", "error", "fetched_at", "gone_at")}
    kept = [_facts(revision) for revision in reversed(revisions.load(db, page))]
    facts |= {"confirmed_at": _confirmed_at(row), "revisions": kept}
    print_json(facts)


def diff(db: Database, page: int, number: int | None) -> None:
    """What the revision of that number, by default the current one, changed. Raises ArchiveError."""
    lines = revisions.diff(*revisions.pair(revisions.load(db, page), number))
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{escape_controls(line)}\n" for line in lines)
        return
    out = output()
    for place, line in enumerate(lines):
        begins = next((begin for begin in _STYLES if line.startswith(begin)), "")
        if len(begins) == len("---") and place >= _HEAD:
            begins = begins[0]
        out.print(Text(escape_controls(line), style=_STYLES.get(begins, "")), soft_wrap=True)


def _page(db: Database, page: int) -> dict[str, Any]:
    return next(db.query("SELECT * FROM pages WHERE id = ?", [page]))


def _facts(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "archived_at": revision.archived_at,
        "replaced_at": revision.replaced_at,
        "crawl": revision.crawl,
        "title": revision.article.title,
        "words": revision.words,
        "changes": revision.changes,
    }


def _confirmed_at(page: dict[str, Any]) -> str | None:
    """When a visit last found the current copy valid; None where the last visit did not."""
    return page["fetched_at"] if page["state"] == "stored" else None


def _standing(page: dict[str, Any]) -> str:
    """What the last visit of the page came to, in words."""
    state, reason = page["state"], page["error"]
    if confirmed := _confirmed_at(page):
        return f"Last confirmed: {minute(confirmed)} UTC."
    # Pages that went before catalogs kept that day have none, until they are visited again.
    gone = minute(page["gone_at"] or page["fetched_at"])
    if state == "gone":
        return f"The page is gone since {gone} UTC: {reason}. This copy stays."
    answered = f"{minute(page['fetched_at'])} UTC"
    if state == "failed":
        since = f", and was gone since {gone} UTC" if page["gone_at"] else ""
        return f"The last visit failed: {reason}. The page last answered {answered}{since}."
    return f"The page is an article no more: {reason} ({answered}). This copy stays."
