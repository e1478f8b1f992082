"""What the commands print: the summary of a crawl, the state of an archive, one article."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from sqlite_utils import Database

from crawler.extensions.progress import duration
from crawler.items import Article
from crawler.reports.terminal import minute, output, print_json
from crawler.text import escape_controls
from pipelines.alarms import alarms
from pipelines.archive.article_file import front_matter, render
from pipelines.archive.catalog import COUNTS

if TYPE_CHECKING:
    from markdown_it.token import Token

    from crawler.runs.crawl import Report

_STATES = {
    "stored": "archived",
    "due": "known, not fetched yet",
    "not_article": "no article (home, listing, redirect)",
    "gone": "gone (404, 410)",
    "refused": "refused by a rule",
    "failed": "failed, to be tried again",
}


_ENDINGS = {
    "finished": "finished",
    "shutdown": "interrupted, the same command goes on,",
    "forced": "stopped at once, the same command goes on,",
    "disk": "stopped, as the disk is full,",
    "locked": "stopped, as another program has locked the catalog,",
    "catalog": "stopped, as the catalog is damaged (`alsoread verify` says how),",
    "space": "stopped before the disk is full",
    "bytes": "stopped, as its bytes are spent, and the next run goes on,",
    "time": "stopped, as its time is spent, and the next run goes on,",
    "quiet": "stopped for the quiet hours, and the next run goes on,",
}


def summary(report: Report, data: str) -> None:
    """How a crawl went, and what to try next."""
    console = output()
    row = report.crawl
    how = _ENDINGS.get(row["outcome"], f"stopped ({row['outcome']})")
    console.print(
        f"[bold]Crawl {row['id']} {how}[/] after {duration(report.seconds)}: "
        f"{row['pages']:,} pages, {row['requests']:,} requests, {row['bytes'] / 2**20:,.1f} MiB"
    )
    for name in COUNTS[1:]:
        if row[name]:
            console.print(f"  {row[name]:>7,} {name.replace('_', ' ')}")
    console.print(f"The archive holds [bold]{report.articles:,} articles[/]; {report.due:,} pages are due.")
    for alarm in report.alarms:
        console.print(Text(escape_controls(f"Look: {alarm}"), style="yellow"), soft_wrap=True)
    if row["pages"] == row["failed"] + row["refused"] and row["pages"]:
        console.print("[red]Nothing could be fetched.[/] `alsoread status` says why.")
    console.print(f"Log: {report.log}", soft_wrap=True)
    console.print(f"Next: alsoread status --data {data}", soft_wrap=True)
    console.print(
        f"      sqlite-utils search {data}/archive.db articles 'battery' -c title -c url", soft_wrap=True
    )


def summary_json(report: Report) -> None:
    """The same for programs."""
    print_json(asdict(report) | {"log": str(report.log)})


def status(db: Database, data: str) -> None:
    """What an archive holds, and what is known of the rest."""
    console = output()
    facts = _facts(db)
    console.print(
        f"[bold]{escape(data)}[/]: {facts['articles']:,} articles of {facts['hosts']:,} hosts, "
        f"{facts['words']:,} words"
    )
    pages = Table("pages", "", box=None, padding=(0, 2), header_style="dim")
    for state, meaning in _STATES.items():
        if count := facts["pages"].get(state):
            pages.add_row(f"{count:,}", meaning)
    console.print(pages)
    table = Table("articles", "host", "first", "last", box=None, padding=(0, 2), header_style="dim")
    for row in db.query("SELECT * FROM articles_by_host LIMIT 10"):
        table.add_row(
            f"{row['articles']:,}",
            escape_controls(row["host"]),
            (row["first_date"] or "")[:10],
            (row["last_date"] or "")[:10],
        )
    console.print(table)
    _reasons(console, db)
    if last := facts["last_crawl"]:
        console.print(
            f"Last crawl: {last['id']}, {last['outcome'] or 'running'}, "
            f"{minute(last['started_at'])} UTC: {last['pages']:,} pages, {last['new']:,} new, "
            f"{last['changed']:,} changed, {last['failed']:,} failed"
        )
    for run, alarm in alarms.recent(db):
        console.print(
            Text(
                escape_controls(f"Look (crawl {run['crawl']}, {minute(run['raised_at'])} UTC): {alarm}"),
                style="yellow",
            ),
            soft_wrap=True,
        )


def status_json(db: Database) -> None:
    """What it holds in numbers, for programs."""
    print_json(_facts(db))


def _facts(db: Database) -> dict[str, Any]:
    """Counts, those of pages by state, the row of the last crawl, and the alarms of it and of the last week."""
    facts = next(db.query("SELECT count(*) AS articles, coalesce(sum(words), 0) AS words FROM articles"))
    return facts | {
        "hosts": db.execute("SELECT count(*) FROM articles_by_host").fetchone()[0],
        "pages": dict(db.execute("SELECT state, count(*) FROM pages GROUP BY state").fetchall()),
        "last_crawl": next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"), None),
        "alarms": [run | asdict(alarm) for run, alarm in alarms.recent(db)],
    }


def _reasons(console: Console, db: Database) -> None:
    reasons = Table("pages", "why not archived", "for instance", box=None, padding=(0, 2), header_style="dim")
    for row in db.query(
        """SELECT count(*) AS pages, error, min(url) AS url FROM pages
           WHERE state IN ('gone', 'refused', 'failed') GROUP BY error ORDER BY pages DESC LIMIT 5"""
    ):
        reasons.add_row(
            f"{row['pages']:,}", Text(escape_controls(row["error"] or "")), Text(escape_controls(row["url"]))
        )
    if reasons.row_count:
        console.print(reasons)


def article(item: Article) -> None:
    """One article: laid out on a terminal, as its file in a pipe but for what would steer a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.write(escape_controls(render(item)))
        return
    console = output()
    facts = Table(box=None, padding=(0, 2), show_header=False)
    for key, value in front_matter(item).items():
        if key not in ("title", "images", "also_read"):
            facts.add_row(Text(escape_controls(key)), Text(escape_controls(_in_words(value))))
    console.print(Text(escape_controls(item.title or item.url), style="bold"))
    console.print(facts)
    console.print(_laid_out(item.body))
    if item.also_read:
        console.print(Text(f"Also read ({len(item.also_read)}):", style="bold"))
        for link in item.also_read:
            console.print(Text(escape_controls(f"  {link.text}\n    {link.url}")), soft_wrap=True)


def _laid_out(body: str) -> Markdown:
    """A body for a terminal, made harmless once references in it have become characters."""
    document = Markdown(body)
    for token in _tokens(document.parsed):
        token.content = escape_controls(token.content)
    return document


def _tokens(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or ())


def _in_words(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return ", ".join(value) if isinstance(value, list) else str(value)
