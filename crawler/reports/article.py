"""One article: laid out on a terminal, as its file in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from crawler.items import Article
from crawler.reports.terminal import output, plain
from crawler.text import escape_controls
from pipelines.archive.article_file import front_matter, render

if TYPE_CHECKING:
    from markdown_it.token import Token
    from rich.markdown import Markdown


def print_article(article: Article) -> None:
    """Print an article; control characters are made visible."""
    if not sys.stdout.isatty():
        sys.stdout.write(escape_controls(render(article)))
        return
    console = output()
    fields = Table(box=None, padding=(0, 2), show_header=False)
    for key, value in front_matter(article).items():
        if key not in ("title", "images", "also_read"):
            fields.add_row(plain(key), plain(_format(value)))
    console.print(plain(article.title or article.url, "bold"))
    console.print(fields)
    console.print(_markdown(article.body))
    if article.also_read:
        console.print(plain(f"Also read ({len(article.also_read)}):", "bold"))
        for link in article.also_read:
            console.print(plain(f"  {link.text}\n    {link.url}"), soft_wrap=True)


def _markdown(body: str) -> Markdown:
    """Parse a body, then escape its controls: character references have become characters by then."""
    from rich.markdown import Markdown  # a pipe needs none of it, and it takes long to load

    document = Markdown(body)
    for token in _walk(document.parsed):
        token.content = escape_controls(token.content)
    return document


def _walk(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or ())


def _format(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return ", ".join(value) if isinstance(value, list) else str(value)
