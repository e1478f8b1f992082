"""Add our pages to Datasette, and links to them from its tables."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Generator
from hashlib import sha256
from importlib.resources import files
from typing import Any

import sqlite_utils
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup
from pluggy import HookimplMarker

from crawler.clock import minute
from crawler.urls import canonical_or_none
from pipelines.serve import pages
from pipelines.serve.addresses import DATABASE, page_of

hookimpl = HookimplMarker("datasette")
logger = logging.getLogger(__name__)

_MAX_VALUE_BYTES = 64 * 2**20
"""Longest text that a query may make: SQLite's own limit would fill the memory."""
_PAGE_COLUMNS = frozenset({"url", "source", "target", "moved_to", "first_url", "canonical"})
"""Columns with addresses of pages."""
_LIST_COLUMNS = frozenset({"tags", "categories"})
_TABLES_WITH_LISTS = frozenset({"articles", "article_list"})
_OTHER_ADDRESSES = frozenset({"images", "pictures", "images_without_copy", "warc_records"})
"""Tables whose `url` is not that of a page."""
_STYLE_HASH = sha256((files("pipelines.serve") / "static" / "style.css").read_bytes()).hexdigest()[:12]


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Any]]]:
    """Return our pages by their addresses; they come before Datasette's own."""
    return pages.ROUTES


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    """Add filters for times and for addresses of our pages."""
    env.filters["minute"] = minute
    env.filters["page_of"] = page_of


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Add the SQL functions of sqlite-utils' plugins, ours among them, and bound what a query can take."""
    sqlite_utils.Database(conn, recursive_triggers=False)
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)


@hookimpl
def extra_template_vars() -> dict[str, Any]:
    """Give every template the address of the style sheet, and the name of the catalog."""
    return {"style": f"/static/style.css?{_STYLE_HASH}", "catalog": f"/{DATABASE}"}


@hookimpl
def render_cell(value: Any, column: str, table: str | None) -> Markup | None:
    """Let the address of a page lead to what the archive has of it, and show lists as words."""
    if not isinstance(value, str):
        return None
    if table in _TABLES_WITH_LISTS and column in _LIST_COLUMNS:
        return Markup(", ").join(json.loads(value)) or Markup("&nbsp;")
    if column not in _PAGE_COLUMNS or table in _OTHER_ADDRESSES or canonical_or_none(value) != value:
        return None
    return Markup('<a href="{}">{}</a>').format(page_of(value), value)


@hookimpl(wrapper=True)
def handle_exception(datasette: Any, request: Request, exception: Exception) -> Generator[None, Any, Any]:
    """Answer an error in a sentence. Datasette would print its traceback with all variables."""
    yield  # the answers of others, which are left out

    async def answer() -> Response:
        if isinstance(exception, Base400 | DatasetteError):
            status, message = exception.status, _describe(exception)
        else:
            logger.error("%s failed", request.path, exc_info=exception)
            status, message = 500, "The server failed; its terminal has the reason."
        if request.path.endswith(".json"):
            return Response.json({"ok": False, "status": status, "error": message}, status=status)
        return await pages.answer(
            datasette, request, "error.html", {"status": status, "error": message}, status
        )

    return [answer]


def _describe(error: Exception) -> str:
    """Return the message of an error of Datasette; its title, where the message is markup."""
    if isinstance(error, DatasetteError):
        return str(error.title if error.message_is_html else error.message)
    return str(error)
