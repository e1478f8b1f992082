"""Add SQL functions to sqlite-utils: `host(url)` and `plain_text(body)`.

Every start of sqlite-utils loads this module, so it imports nothing before a function is called.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import hookimpl


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Register the functions."""
    conn.create_function("host", 1, _host, deterministic=True)
    conn.create_function("plain_text", 1, _plain_text, deterministic=True)


def _host(url: object) -> str | None:
    """Return the host of an address; NULL where there is none."""
    from crawler.urls import named_host

    return named_host(url) or None if isinstance(url, str) else None


def _plain_text(body: object) -> str | None:
    """Return the text of a body's Markdown; NULL where it is no text."""
    from pipelines.archive.plain_text import plain_text

    return plain_text(body) if isinstance(body, str) else None
