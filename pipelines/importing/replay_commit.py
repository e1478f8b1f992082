"""Store what WARC files have of pages in batches, as a crawl stores what servers send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from crawler.items import FoundPages, Visit, iso
from crawler.urls import canonical, canonical_or_none
from pipelines.archive import articles, pages, records
from pipelines.archive.catalog import Catalog
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.archive.warc import FOLDER, Location
from pipelines.importing.reconcile import is_same_version, keep_older
from pipelines.importing.recorded import Item, PendingResponse, ReplayCounts, Result, Skipped
from pipelines.normalize import Normalize
from pipelines.validate import Validate

_BATCH_SIZE = 50
"""Responses in a commit."""


class ReplayCommitter:
    """Store the items of responses in an archive that this process holds, or tell what would become of them."""

    def __init__(
        self,
        db: Database,
        data: Path,
        catalog: Catalog | None,
        refused: Callable[[str, str], None],
        *,
        keep_files: bool,
    ) -> None:
        """`catalog`: None to store nothing; `keep_files`: the archive gets copies of the files."""
        self.db, self.data, self.catalog = db, data, catalog
        self.folder = data / FOLDER if catalog and keep_files else None
        self.counts = ReplayCounts()
        self._refused = refused
        self._normalize = Normalize()
        self._validate = Validate()
        if catalog:
            self._validate.archive_opened(catalog)
        self._rows: list[tuple[Location, records.Row]] = []
        self._items: list[tuple[Item, Location | None]] = []
        self._visited: set[str] = set()
        self._known: set[str] = set()
        """Pages that the items of this batch make known; all of the import's where nothing is stored."""

    def add_seeds(self, seeds: Sequence[str], at: datetime | None) -> None:
        """Make the seeds of a run known."""
        if all(self._is_known(url) for url in seeds):
            return
        self._known.update(seeds)
        found = FoundPages(pages=[(url, None) for url in seeds], asked_for=True, at=at)
        self._items.append((found, None))
        self.flush()

    def refuse_pages(self, refuse: Callable[[str], Visit | None]) -> None:
        """Store the visits of due pages that robots.txt kept a crawl from."""
        if self.catalog is None:
            return
        due = self.db.execute("SELECT url, found_at FROM pages WHERE state = 'due'").fetchall()
        for url, found_at in due:
            if visit := refuse(url):
                self._items.append((replace(visit, at=datetime.fromisoformat(found_at)), None))
        self.flush()

    def skip(self, place: Location, row: records.Row | None, why: Skipped) -> None:
        """Count a response that is not imported; its record is kept all the same."""
        self.counts.skipped[why] += 1
        if row:
            self._rows.append((place, row))

    def add(self, response: PendingResponse, result: Result) -> None:
        """Store the items of a response, with others in one commit. Raises OSError and sqlite3.Error."""
        if result.skipped:
            self.skip(response.place, response.row, result.skipped)
            return
        if response.row:
            self._rows.append((response.place, response.row))
        for item in result.items:
            self._add(replace(item, at=response.at), response.body_place)
        if len(self._rows) >= _BATCH_SIZE:
            self.flush()

    def _add(self, item: Item, place: Location) -> None:
        if isinstance(item, FoundPages):
            self._known.update(url for url, _ in item.pages)
            self._items.append((item, None))
            return
        if item.url in self._visited:  # it is compared with what the archive has then
            self.flush()
        if not item.article and not self._is_known(item.url):
            self.counts.skipped[
                Skipped.NO_ORIGINAL if item.status == HTTPStatus.NOT_MODIFIED else Skipped.NOT_PAGE
            ] += 1
            return
        self._visited.add(item.url)
        self._known.add(item.url)
        if item.moved_to:
            self._known.add(item.moved_to)
        if item.article:
            self._known.update(canonical(link.url) for link in item.article.also_read if _is_web(link.url))
        self._items.append((item, place))

    def _is_known(self, url: str) -> bool:
        return url in self._known or pages.find(self.db, url) is not None

    def flush(self) -> None:
        """Store what was added. Raises OSError and sqlite3.Error."""
        if self.catalog is None:
            self._foresee()
        else:
            self._store(self.catalog)
            self._known.clear()
        self._rows.clear()
        self._items.clear()
        self._visited.clear()

    def _store(self, catalog: Catalog) -> None:
        ids = self._insert_rows()
        items: list[Item] = []
        for item, place in self._items:
            if isinstance(item, FoundPages):
                items.append(item)
            elif visit := self._staged(item, ids.get(place) if place else None, catalog.crawl):
                items.append(visit)
        if not items:
            return
        for item, kind in zip(items, catalog.commit(items), strict=True):
            if isinstance(kind, Exception):
                if not isinstance(kind, OSError) or ends_run(kind):
                    raise kind
                if isinstance(item, Visit):
                    self._refused(item.url, str(explain(kind, self.data)).removesuffix("."))
            elif isinstance(item, Visit):
                self.counts.kinds[kind] += 1

    def _insert_rows(self) -> _Ids:
        """Insert the rows of the records that the archive has files of."""
        ids = _Ids(self.db, self.folder)
        if self.folder:
            with self.db.atomic():
                for place, row in self._rows:
                    location = place._replace(file=Path(place.file).name)
                    if ids.get(place) is None:
                        records.insert(self.db, row, location)
        return ids

    def _staged(self, visit: Visit, record: int | None, crawl: int) -> Visit | None:
        """Take a visit through the stages of a crawl; None where the archive has a later one of its page."""
        visit = self._normalize.process_item(replace(visit, record=record))
        page = pages.find(self.db, visit.url)
        if visit.status == HTTPStatus.NOT_MODIFIED and not (page and page["archived"]):
            self.counts.skipped[Skipped.NO_ORIGINAL] += 1
            return None
        if page and _is_older(visit, page):
            if visit.article and page["archived"]:
                with self.db.atomic():
                    keep_older(self.db, page["id"], visit.article, _time(visit), crawl, record)
                self.counts.kinds["unchanged"] += 1
            else:
                self.counts.skipped[Skipped.OLDER] += 1
            return None
        staged: Visit = self._validate.process_item(visit)
        return staged

    def _foresee(self) -> None:
        """Count what would become of the visits."""
        for item, _ in self._items:
            if not isinstance(item, Visit):
                continue
            page = pages.find(self.db, item.url)
            if item.article:
                self.counts.kinds[self._kind(self._normalize.process_item(item), page)] += 1
            elif page and _is_older(item, page):
                self.counts.skipped[Skipped.OLDER] += 1
            else:
                self.counts.kinds["not_modified" if item.state == "stored" else item.state] += 1

    def _kind(self, visit: Visit, page: Mapping[str, Any] | None) -> str:
        assert visit.article  # noqa: S101 - the caller saw it
        if page is None or not page["archived"]:
            return "new"
        is_same = is_same_version(visit.article, articles.load(self.db, page["id"]))
        return "unchanged" if is_same or _is_older(visit, page) else "changed"


class _Ids:
    """The rows of records by their places."""

    def __init__(self, db: Database, folder: Path | None) -> None:
        self._db, self._folder = db, folder

    def get(self, place: Location) -> int | None:
        """Return the row of a record; None where the archive does not have its file."""
        if self._folder is None or Path(place.file).parent != self._folder:
            return None
        found = records.find_at(self._db, Path(place.file).name, place.offset)
        return found[0] if found else None


def _is_web(url: str) -> bool:
    return canonical_or_none(url) is not None


def _is_older(visit: Visit, page: Mapping[str, Any]) -> bool:
    """Return whether the archive has the result of a later visit, or of this one."""
    at = _time(visit)
    if page["fetched_at"] and page["fetched_at"] >= at:
        return True
    return bool(visit.state == "failed" == page["state"] and page["due_at"] and page["due_at"] > at)


def _time(visit: Visit) -> str:
    assert visit.at  # noqa: S101 - ReplayCommitter.add sets it
    return iso(visit.at)
