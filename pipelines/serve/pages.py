"""Answer the requests for our own pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from datasette.utils.asgi import Base400, Request, Response
from sqlite_utils import Database

from crawler.errors import UsageError
from pipelines.analysis.search import Filters, Results, search
from pipelines.archive.files import read_file
from pipelines.images.paths import FOLDER
from pipelines.serve import articles, feed, overviews
from pipelines.serve.addresses import DATABASE, page_of, url_of

_T = TypeVar("_T")
Report = Callable[[Database], str]
"""Makes a page about a catalog that has its style and its scripts inside, and a policy that allows these alone."""
_RESULTS = 20
"""Articles on a page of search results."""
_NUMBER = re.compile(r"[0-9]{1,9}")
_FILTERS = ("host", "tag", "author", "lang", "since")
_IMAGE_HEADERS = {"cache-control": "private, max-age=86400"}


class Missing(Base400):  # type: ignore[misc]
    """A page that is not there. For its own error Datasette looks for a page with another spelling."""

    status = 404


async def home(request: Request, datasette: Any) -> Response:
    """Show what the archive holds."""
    return await answer(datasette, request, "home.html", await read(datasette, overviews.home))


async def host(request: Request, datasette: Any) -> Response:
    """Show the articles, pages and links of a host."""
    name = request.url_vars["host"]
    found = await read(datasette, overviews.host, name, _number(request, "offset") or 0)
    if found is None:
        raise Missing(f"No page of {name} was ever seen.")
    return await answer(datasette, request, "host.html", found)


async def graph(request: Request, datasette: Any) -> Response:
    """Show what articles and hosts link to."""
    return await answer(datasette, request, "graph.html", await read(datasette, overviews.graph))


async def report(datasette: Any) -> Response:
    """Show what the archive holds as charts."""
    make: Report = datasette.get_database(DATABASE).report
    return Response.html(await read(datasette, make))


async def find(request: Request, datasette: Any) -> Response:
    """Search articles."""
    words = request.args.get("q", "").strip()
    chosen = {name: request.args.get(name, "").strip() for name in _FILTERS}
    offset = _number(request, "offset") or 0
    context: dict[str, Any] = {"words": words, "chosen": chosen, "offset": offset, "limit": _RESULTS}
    if words:
        filters = Filters(
            hosts=[chosen["host"]] if chosen["host"] else [],
            **{name: chosen[name] or None for name in _FILTERS[1:]},
        )
        try:
            context["results"] = await read(datasette, _search, words, filters, offset)
        except UsageError as error:
            context["error"] = str(error)
    query = {"q": words} | {name: value for name, value in chosen.items() if value}
    context["link"] = lambda **changes: f"/search?{urlencode(query | changes)}"
    return await answer(datasette, request, "search.html", context)


def _search(db: Database, words: str, filters: Filters, offset: int) -> Results:
    return search(db.conn, words, filters, limit=_RESULTS, offset=offset)


async def article(request: Request, datasette: Any) -> Response:
    """Show an article, or what is known of a page that has none."""
    url = _url(request)
    if found := await read(datasette, articles.article, url):
        return await answer(datasette, request, "article.html", found)
    page = await read(datasette, articles.known_page, url)
    if page is None:
        raise Missing(f"{url} is not in the archive: no page that was read links to it.")
    if page["moved_to"]:
        return Response.redirect(page_of(page["moved_to"]))
    return await answer(datasette, request, "missing.html", {"page": page}, 404)


async def history(request: Request, datasette: Any) -> Response:
    """List the revisions of an article."""
    return await _of_article(request, datasette, "history.html", articles.history)


async def diff(request: Request, datasette: Any) -> Response:
    """Show what a revision of an article changed."""
    return await _of_article(request, datasette, "diff.html", articles.diff, _number(request, "revision"))


async def atom(request: Request, datasette: Any) -> Response:
    """Answer with the feed of new and changed articles."""
    changes = await read(datasette, overviews.newest_changes, feed.LENGTH)
    content = await asyncio.to_thread(feed.atom, changes, f"{request.scheme}://{request.host}/")
    return Response(content, content_type="application/atom+xml; charset=utf-8")


async def image(request: Request, datasette: Any) -> Response:
    """Answer with the copy of an image."""
    path = unquote(request.url_vars["path"])
    kind = await read(datasette, overviews.copy, path)
    root = Path(datasette.get_database(DATABASE).path).parent / FOLDER
    try:
        content = await asyncio.to_thread(read_file, root, PurePosixPath(path)) if kind else None
    except OSError as error:
        raise Missing(f"The copy of this image can't be read: {error.strerror}.") from None
    if content is None:
        raise Missing("There is no copy of this image.")
    return Response(content, headers=_IMAGE_HEADERS, content_type=kind)


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/$", home),
    (r"^/search$", find),
    (r"^/graph$", graph),
    (r"^/report$", report),
    (r"^/feed\.atom$", atom),
    (r"^/host/(?P<host>[^/]+)$", host),
    (r"^/article/(?P<path>.+)$", article),
    (r"^/history/(?P<path>.+)$", history),
    (r"^/diff/(?P<path>.+)$", diff),
    (rf"^/{FOLDER}/(?P<path>.+)$", image),
]
"""Our pages, by patterns of their addresses."""


async def read(datasette: Any, load: Callable[..., _T], *arguments: Any) -> _T:
    """Return what a function reads of the catalog at one moment, in a thread."""

    def in_transaction(connection: Any) -> _T:
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        with db.atomic():
            return load(db, *arguments)

    found: _T = await datasette.get_database(DATABASE).execute_fn(in_transaction)
    return found


async def answer(
    datasette: Any, request: Request, template: str, context: Mapping[str, Any], status: int = 200
) -> Response:
    """Return a page that a template makes."""
    return Response.html(await datasette.render_template(template, context, request=request), status=status)


async def _of_article(
    request: Request, datasette: Any, template: str, load: Callable[..., _T | None], *arguments: Any
) -> Response:
    url = _url(request)
    try:
        found: Any = await read(datasette, load, url, *arguments)
    except UsageError as error:
        raise Missing(str(error)) from None
    if found is None:
        raise Missing(f"{url} is not in the archive.")
    return await answer(datasette, request, template, found)


def _url(request: Request) -> str:
    url = url_of(request.url_vars["path"])
    if url is None:
        raise Missing("This is not the address of a page.")
    return url


def _number(request: Request, name: str) -> int | None:
    """Return a number of the query; None where the address has none."""
    given = request.args.get(name, "")
    return int(given) if _NUMBER.fullmatch(given) else None
