"""Store what WARC files have of pages, as a crawl stores what servers send."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from sqlite_utils import Database

from crawler import shutdown
from crawler.clock import parse_time
from crawler.items import FoundPages, Visit, iso
from crawler.urls import canonical, canonical_or_none, in_scope
from pipelines.archive import articles, pages, records
from pipelines.archive.catalog import Catalog
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.archive.warc import FOLDER, Location, split_response
from pipelines.archive.warc_index import row_of
from pipelines.archive.warc_reader import DamagedFile, Record
from pipelines.importing.reconcile import is_same_version, keep_older
from pipelines.importing.warc_files import UnreadableZip, WarcFile, copy_into, read_record, records_of
from pipelines.normalize import Normalize
from pipelines.validate import Validate

Item = Visit | FoundPages

_BATCH_SIZE = 50
"""Responses in a commit."""
_MAX_AHEAD = 32
"""Responses that are read before the first of them is stored."""
_MAX_AHEAD_BYTES = 48 * 2**20
"""Bytes of their bodies, so that memory stays small."""


class Skipped(StrEnum):
    """Why a response is not imported."""

    SCOPE = "out of scope"
    ADDRESS = "no valid address or date"
    NOT_HTTP = "not HTTP"
    TOO_LARGE = "too large"
    NO_ORIGINAL = "without the response that they repeat"
    OLDER = "not newer than what the archive has"
    NOT_PAGE = "not pages of articles"


class Recorded(NamedTuple):
    """A response in a WARC file."""

    url: str
    at: datetime
    head: bytes
    """Status line and headers."""
    body: bytes
    """As it was recorded, in its framing and encoding."""
    truncated: bool
    """True where the record says that it is not whole."""


class Result(NamedTuple):
    """The items that a response gave, or why there are none."""

    items: Sequence[Item]
    skipped: Skipped | None = None


class Replayer(Protocol):
    """Reads recorded responses as a crawl does."""

    def begin(self, info: Mapping[str, str]) -> Sequence[str]:
        """Take the fields of a `warcinfo` record; return the seeds of its run."""

    def read(self, recorded: Recorded) -> Coroutine[Any, Any, Result]:
        """Return a coroutine that reads a response. It is called in the order of the records."""

    def refuse(self, page: str) -> Visit | None:
        """Return the visit of a page that robots.txt keeps a crawl from; None for any other."""

    def close(self) -> None:
        """Let go of what it holds."""


class ReplayCounts:
    """What an import took from WARC files."""

    def __init__(self) -> None:
        self.responses = 0
        self.kinds: Counter[str] = Counter()
        """Visits of pages by their result, such as `new` or `gone`."""
        self.skipped: Counter[Skipped] = Counter()


class _Read(NamedTuple):
    """A response that is being read."""

    place: Location
    row: records.Row | None
    url: str
    at: datetime
    body_place: Location
    """Where the record with its body is."""
    size: int
    result: asyncio.Task[Result]


async def replay_files(
    files: Sequence[WarcFile],
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    refused: Callable[[str, str], None],
) -> None:
    """Store what WARC files have, file by file. Ends early when a signal came. Raises OSError and sqlite3.Error.

    `refused` is called with the name of each file that can't be read to its end, and why.
    """
    with closing(_Originals(committer.db, committer.data)) as originals, TemporaryDirectory() as scratch:
        for file in files:
            try:
                copy = copy_into(committer.folder or Path(scratch), file)
            except (DamagedFile, UnreadableZip) as error:
                refused(file.name, str(error))
                continue
            damage = await _replay_file(copy.path, replayer, committer, scope, originals)
            if why := copy.damage or damage:
                refused(file.name, f"{why}; what stands before that is imported")
            if shutdown.is_asked():
                return
        committer.refuse_pages(replayer.refuse)


async def _replay_file(
    path: Path,
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    originals: _Originals,
) -> str | None:
    """Store what a file has; return why it can't be read to its end."""
    ahead: deque[_Read] = deque()
    ahead_bytes = 0
    damage = None
    read = _responses(path, replayer, committer, scope, originals)
    try:
        while not shutdown.is_asked():
            try:
                response = next(read, None)
            except DamagedFile as error:
                response, damage = None, str(error)
            if response is None:
                break
            ahead.append(response)
            ahead_bytes += response.size
            while len(ahead) > _MAX_AHEAD or ahead_bytes > _MAX_AHEAD_BYTES:
                ahead_bytes -= await _settle(ahead.popleft(), committer)
        while ahead and not shutdown.is_asked():
            await _settle(ahead.popleft(), committer)
        committer.flush()
    finally:
        for response in ahead:
            response.result.cancel()
        await asyncio.gather(*(response.result for response in ahead), return_exceptions=True)
    return damage


async def _settle(response: _Read, committer: ReplayCommitter) -> int:
    """Hand a response to the committer; return its bytes."""
    committer.add(response, await response.result)
    return response.size


def _responses(
    path: Path,
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    originals: _Originals,
) -> Iterator[_Read]:
    """Yield the responses of a file that are being read. Raises DamagedFile and OSError."""
    seeds: Sequence[str] = ()
    for record in records_of(path):
        if record.kind == "warcinfo":
            seeds = replayer.begin(_info(record))
        if record.kind not in ("response", "revisit"):
            continue
        if seeds:  # they were known before the first response came
            committer.add_seeds(seeds, parse_time(record.fields.get("warc-date")))
            seeds = ()
        committer.counts.responses += 1
        place = Location(str(path), record.offset, record.length or 0)
        row = row_of(record)
        read = _read(record, row, place, scope, originals)
        if isinstance(read, Skipped):
            committer.skip(place, row, read)
            continue
        recorded, body_place = read
        task = asyncio.create_task(replayer.read(recorded))
        yield _Read(place, row, recorded.url, recorded.at, body_place, len(recorded.body), task)


def _read(
    record: Record, row: records.Row | None, place: Location, scope: Sequence[str], originals: _Originals
) -> tuple[Recorded, Location] | Skipped:
    """Return a record's response and where its body is, or why it is not imported."""
    moment = parse_time(record.fields.get("warc-date"))
    page = canonical_or_none(record.url)
    if row is None or moment is None or page is None:
        return Skipped.ADDRESS
    if not in_scope(page, scope):
        return Skipped.SCOPE
    if record.block is None:
        return Skipped.TOO_LARGE
    head, body = split_response(record.block)
    truncated = "warc-truncated" in record.fields
    if record.kind == "response":
        originals.add(record, row, place)
    elif row.status != HTTPStatus.NOT_MODIFIED:
        found = originals.find(record)
        if found is None:
            return Skipped.NO_ORIGINAL
        body, place = found
    return Recorded(record.url, moment, head, body, truncated), place


def _info(record: Record) -> dict[str, str]:
    lines = (record.block or b"").decode(errors="replace").splitlines()
    fields = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in fields}


class _Originals:
    """Find the responses that revisit records repeat: in the files of this import, and in the archive's."""

    def __init__(self, db: Database, data: Path) -> None:
        self._db, self._data = db, data
        # On disk and gone with the connection: the responses of an import need not fit into memory.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("CREATE TABLE seen (url, at, digest, file, offset, length)")
        self._seen.execute("CREATE INDEX seen_url ON seen(url, at)")
        self._seen.execute("CREATE INDEX seen_digest ON seen(digest)")

    def add(self, record: Record, row: records.Row, place: Location) -> None:
        """Remember a response."""
        digest = record.fields.get("warc-payload-digest", record.digest)
        values = [row.url, row.fetched_at, digest.lower(), *place]
        self._seen.execute("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?)", values)

    def find(self, revisit: Record) -> tuple[bytes, Location] | None:
        """Return the body of the response that a record repeats, and where that is."""
        fields = revisit.fields
        url = fields.get("warc-refers-to-target-uri", revisit.url).removeprefix("<").removesuffix(">")
        moment = parse_time(fields.get("warc-refers-to-date"))
        at, digest = iso(moment) if moment else "", fields.get("warc-payload-digest", "")
        queries = (
            ("url = ? AND at = ?", [url, at]),
            ("digest = ?", [digest.lower()]),
        )
        for condition, values in queries:
            query = f"SELECT file, offset, length FROM seen WHERE {condition} LIMIT 1"
            if (row := self._seen.execute(query, values).fetchone()) and (found := _body_at(Location(*row))):
                return found
        return self._find_archived(url, at, digest)

    def _find_archived(self, url: str, at: str, digest: str) -> tuple[bytes, Location] | None:
        query = """SELECT name, offset, length FROM warc_records JOIN warc_files ON warc_files.id = file
                   WHERE kind = 'response' AND {} LIMIT 1"""
        for condition, values in (("url = ? AND fetched_at = ?", [url, at]), ("digest = ?", [digest])):
            if row := self._db.execute(query.format(condition), values).fetchone():
                path = self._data / FOLDER / row[0]
                if path.is_file() and (found := _body_at(Location(str(path), *row[1:]))):
                    return found
        return None

    def close(self) -> None:
        """Forget all."""
        self._seen.close()


def _body_at(place: Location) -> tuple[bytes, Location] | None:
    """Return the body of the response in a record, and where that is; None if it is not there any more."""
    record = read_record(Path(place.file), place.offset)
    return (split_response(record.block)[1], place) if record and record.block else None


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

    def add(self, response: _Read, result: Result) -> None:
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
        query = """SELECT warc_records.id FROM warc_records JOIN warc_files ON warc_files.id = file
                   WHERE name = ? AND offset = ?"""
        row = self._db.execute(query, [Path(place.file).name, place.offset]).fetchone()
        return row[0] if row else None


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
