"""Plan an export: where each file belongs, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple
from urllib.parse import quote

from crawler.errors import CatalogError, ReadError
from pipelines.archive.article_file import path_of
from pipelines.archive.files import hash_of
from pipelines.export.flavours import FLAVOURS
from pipelines.export.flavours.item import Item
from pipelines.export.layout import Layout, address, folded, marked
from pipelines.export.links import Forms, Target, addresses, page_on, rewrite
from pipelines.export.source import Source

_FIRST_PICTURE = 2**32
"""The number of the first picture; articles have that of their page."""
_CACHED_LINKS = 8192
"""Links whose targets are remembered: texts tend to have the same ones."""
_HINT = "`alsoread verify --repair` makes it due again, and `alsoread images` fetches it"

_PLAN = """
CREATE TEMP TABLE plan (
  number INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  path TEXT NOT NULL,
  folded TEXT NOT NULL,
  address TEXT NOT NULL,
  changed_at TEXT NOT NULL
)
"""
_SHARED = """
SELECT path, url, number FROM plan
WHERE folded IN (SELECT folded FROM plan GROUP BY folded HAVING count(*) > 1)
"""
_TARGETS = (
    "CREATE TEMP TABLE targets (page INTEGER PRIMARY KEY, path TEXT NOT NULL, address TEXT NOT NULL)",
    f"INSERT INTO targets SELECT number, path, address FROM plan WHERE number < {_FIRST_PICTURE}",
    "INSERT OR IGNORE INTO targets SELECT id, path, address FROM pages JOIN plan ON number = moved_to",
)
"""Where pages lead to, and those that redirect to them."""
_PAGE = "SELECT path, address FROM pages JOIN targets ON page = id WHERE url = ?"
_LINKED = """
SELECT position, path, address FROM also_read JOIN targets ON page = target
WHERE source = ? AND position IS NOT NULL
"""
_PICTURE = f"SELECT path, address FROM plan WHERE url = ? AND number >= {_FIRST_PICTURE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How Markdown files are written."""

    flavour: str = "plain"
    """A key of FLAVOURS."""
    path: str | None = None
    """The template of the files' paths; None for the flavour's own."""
    local: bool | None = None
    """Whether links between articles of the export lead to files; None for the flavour's default."""
    images: Path | None = None
    """The archive's folder of copies; None where pictures keep their addresses."""


class PlannedFile(NamedTuple):
    """The place of a file, of an article or of a picture that it shows."""

    number: int
    url: str
    place: Target
    changed_at: str
    """ISO 8601, UTC."""


class Copy(NamedTuple):
    """The archive's copy of a picture."""

    file: Path
    hash: str
    """Of its content, as the archive has it."""

    @property
    def facts(self) -> bytes:
        """All that its file is made of."""
        return self.hash.encode()


class Plan:
    """Give each file of an export a path of its own. Raises AlsoreadError where the form is not valid.

    Articles that share a path are told apart by a hash of their addresses.
    """

    def __init__(self, source: Source, form: Form) -> None:
        self._source, self._db, self._images = source, source.db, form.images
        self._flavour = FLAVOURS[form.flavour]
        self._layout = Layout(form.path or self._flavour.PATH, self._flavour.fit)
        local = self._flavour.LOCAL if form.local is None else form.local
        self._hosts = source.hosts() if local else set()
        self._page = lru_cache(_CACHED_LINKS)(self._find_page)
        self._db.execute(_PLAN)
        self._db.executemany(
            "INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?)",
            (
                (number, url, place.path, folded(place.path), place.address, changed_at)
                for number, url, place, changed_at in chain(self._articles(), self._pictures())
            ),
        )
        shared = [(marked(path, url), number) for path, url, number in self._db.execute(_SHARED)]
        self._db.executemany("UPDATE plan SET path = ? WHERE number = ?", shared)
        for column in ("url", "path"):
            self._db.execute(f"CREATE INDEX temp.plan_{column} ON plan({column})")
        if local:
            for statement in _TARGETS:
                self._db.execute(statement)

    def _articles(self) -> Iterator[PlannedFile]:
        for head in self._source.heads(self._layout.columns):
            place = Target(self._layout.path(head.path, head.row), address(head.path, head.url))
            yield PlannedFile(head.page, head.url, place, head.row["changed_at"])

    def _pictures(self) -> Iterator[PlannedFile]:
        """Yield the copies that are there; a picture whose copy is missing keeps its address."""
        if self._images is None:
            return
        for number, (url, copy, fetched_at) in enumerate(self._source.copies(), _FIRST_PICTURE):
            if (self._images / copy).is_file():
                path = "/".join(map(self._fit, copy.split("/")))
                place = Target(f"{self._flavour.PICTURES}{path}", f"/images/{quote(path)}")
                yield PlannedFile(number, url, place, fetched_at)

    def _fit(self, name: str) -> str:
        """Return a name of a picture's path as the program takes it, and no other picture has it."""
        fitted = self._flavour.fit(name)
        return name if fitted == name else marked(fitted, name, PurePosixPath(name).suffix)

    def files(self, order: Literal["number", "path"] = "number") -> Iterator[PlannedFile]:
        """Yield the files in an order."""
        query = f"SELECT number, url, path, address, changed_at FROM plan ORDER BY {order}"
        for number, url, path, address_, changed_at in self._db.execute(query):
            yield PlannedFile(number, url, Target(path, address_), changed_at)

    def has(self, column: Literal["url", "path"], value: str) -> bool:
        """Return whether a planned file has an address or a path."""
        return self._db.execute(f"SELECT 1 FROM plan WHERE {column} = ?", [value]).fetchone() is not None

    def made_of(self, file: PlannedFile) -> Item | Copy:
        """Return what a file is made of."""
        if file.number >= _FIRST_PICTURE:
            assert self._images  # noqa: S101 - else no picture is planned
            copy, hash_ = self._source.copy(file.url)
            return Copy(self._images / copy, hash_)
        row = self._source.row(file.number)
        links, linked = [], {}
        if self._hosts:
            links = sorted(addresses(row.body))
            linked = {at: Target(*place) for at, *place in self._db.execute(_LINKED, [file.number])}
        pictures = row.pictures if self._images else []
        return Item(
            row=row,
            place=file.place,
            links={url: target for url in links if (target := self._page(url))},
            pictures={url: target for url in pictures if (target := self._find(_PICTURE, url))},
            also_read=[linked.get(at) for at in range(1, len(row.also_read) + 1)],
            aliases=[address(str(path_of(alias)), alias) for alias in self._source.aliases(file.number)],
        )

    def _find_page(self, url: str) -> Target | None:
        page = page_on(self._hosts, url)
        return self._find(_PAGE, page) if page else None

    def _find(self, query: str, url: str) -> Target | None:
        row = self._db.execute(query, [url]).fetchone()
        return row and Target(*row)

    def content(self, made_of: Item | Copy) -> bytes:
        """Return the content of a file. Raises AlsoreadError if a picture's copy is damaged."""
        return _copied(made_of) if isinstance(made_of, Copy) else self._rendered(made_of)

    def _rendered(self, item: Item) -> bytes:
        here = item.place.path
        link, picture = partial(self._flavour.link, here=here), partial(self._flavour.picture, here=here)
        body = rewrite(item.row.body, item.links, item.pictures, Forms(link, picture, self._flavour.escape))
        return self._flavour.render(item, replace(item.article, body=body)).encode()


def _copied(copy: Copy) -> bytes:
    try:
        content = copy.file.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ReadError(error.errno, error.strerror, str(copy.file)) from None
    if hash_of(content) != copy.hash:
        raise CatalogError(f"{copy.file} is missing or damaged: {_HINT}.")
    return content
