"""Write HTML elements of foreign text: tables, links, figures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from crawler.text import escape_controls

_WEB = ("https://", "http://")
_LONGEST_WORD = 12
"""Characters of a text that is not broken into lines, such as a date."""


class Link(NamedTuple):
    """A cell of a table that leads to a page."""

    text: str
    url: str
    host: str = ""
    """Shown below the text."""


Cell = str | int | float | Link | None


def safe(text: str) -> str:
    r"""Return foreign text for an element or an attribute, with its control characters made visible.

    >>> safe('<b>"\x00')
    '&lt;b&gt;&quot;\\x00'
    """
    return escape(escape_controls(text))


def table(label: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table in a region of its own, which scrolls where there is little room, and by keys."""
    head = "".join(
        f'<th scope="col"{_class(rows[0][column] if rows else None)}>{safe(heading)}</th>'
        for column, heading in enumerate(headings)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{safe(label)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def details(summary: str, content: str) -> str:
    """Return content that is shown on request."""
    return f"<details><summary>{safe(summary)}</summary>{content}</details>"


def heading(text: str) -> str:
    """Return a heading below that of a section."""
    return f"<h3>{safe(text)}</h3>"


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{safe(text)}</p>"


def _cell(value: Cell) -> str:
    match value:
        case Link():
            content = _link(value)
        case float():
            content = f"{value:.6f}"
        case int():
            content = f"{value:,}"
        case _:
            content = safe(value or "")
    return f"<td{_class(value)}>{content}</td>"


def _class(value: Cell) -> str:
    """Return how a cell is set: a number to the right, a short text in one line."""
    if isinstance(value, int | float):
        return ' class="number"'
    return (
        ' class="long"' if isinstance(value, Link) or len(value or "") > _LONGEST_WORD else ' class="short"'
    )


def _link(link: Link) -> str:
    shown = f"<bdi>{safe(link.text)}</bdi>"
    below = f"<small>{safe(link.host)}</small>" if link.host else ""
    if not link.url.startswith(_WEB):
        return shown + below
    return f'<a href="{safe(link.url)}" rel="noreferrer">{shown}</a>{below}'
