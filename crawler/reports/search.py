"""Results of a search: a list with snippets for people, JSON for programs."""

from __future__ import annotations

import shlex
import sqlite3
import sys

import click
from rich.console import Console
from rich.text import Text

from crawler.reports.terminal import output, plain, print_json
from crawler.text import counted
from pipelines.analysis.search import Filters, Hit, Results
from pipelines.analysis.suggest import suggest
from pipelines.archive.query import parse

_MATCH_STYLE = "bold yellow"


def print_results(
    connection: sqlite3.Connection, results: Results, words: str, filters: Filters, offset: int
) -> None:
    """Print hits, by pages where they are longer than the terminal; say what to try where there are none."""
    console = output()
    if not results.hits:
        console.print(plain(_nothing(connection, words, filters, offset)), soft_wrap=True)
        return
    with console.capture() as capture:
        for hit in results.hits:
            _print_hit(console, hit)
        if results.more:
            console.print(f"More: --offset {offset + len(results.hits)}", style="dim")
    text = capture.get()
    if sys.stdout.isatty() and text.count("\n") >= console.height:
        click.echo_via_pager(text, color=console.color_system is not None)
    else:
        click.echo(text, nl=False, color=console.color_system is not None)


def print_results_json(results: Results) -> None:
    """Print the same as JSON."""
    print_json(
        {
            "hits": [
                hit._asdict() | {"snippet": [piece._asdict() for piece in hit.snippet]}
                for hit in results.hits
            ],
            "more": results.more,
        }
    )


def _print_hit(console: Console, hit: Hit) -> None:
    facts = (hit.date and hit.date[:10], hit.author, hit.lang)
    console.print(plain(hit.title or hit.url, "bold"), soft_wrap=True)
    console.print(plain(f"  {hit.url}", "blue"), soft_wrap=True)
    if any(facts):
        console.print(plain(f"  {', '.join(filter(None, facts))}", "dim"), soft_wrap=True)
    pieces = [plain(piece.text, _MATCH_STYLE if piece.matched else "") for piece in hit.snippet]
    console.print(Text("  ").append_text(Text().join(pieces)), soft_wrap=not sys.stdout.isatty())
    console.print()


def _nothing(connection: sqlite3.Connection, words: str, filters: Filters, offset: int) -> str:
    """Return a sentence that says why there are no hits, and what has some."""
    if not parse(words):
        return f"'{words}' has no letter and no digit to search for."
    if offset:
        return (
            f"No more than {counted(offset, 'article matches', 'articles match')}: give a smaller --offset."
        )
    if (found := suggest(connection, words, filters)) is None:
        return f"No article matches: {words}"
    return f"No article matches: {words}\nTry: alsoread search {shlex.join([found.words, *_flags(found.filters)])}"


def _flags(filters: Filters) -> list[str]:
    hosts = [word for host in filters.hosts for word in ("--host", host)]
    others = {
        "--tag": filters.tag,
        "--author": filters.author,
        "--lang": filters.lang,
        "--since": filters.since,
    }
    return hosts + [word for flag, value in others.items() if value for word in (flag, value)]
