"""Read an archived article from its original, and compare: what a re-extraction does in other processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler import extractors
from crawler.errors import AlsoreadError, UnreadablePage
from crawler.items import EXTRACTOR_VERSION, Article, Quarantine, Reading, Visit
from crawler.responses import charset_in
from crawler.settings import ALSOREAD_READ_TIMEOUT
from crawler.workers.pool import Ended
from pipelines.archive import articles, records
from pipelines.archive.connection import open_readonly
from pipelines.archive.plausibility import Comparison, hash_of_body, reads_less
from pipelines.archive.quarantine import RE_EXTRACTION, Archived
from pipelines.archive.storage_errors import explain
from pipelines.normalize import normalize
from pipelines.originals import read as originals
from pipelines.originals.read import Original, StoredOriginal
from pipelines.originals.reextractions import Reextraction
from pipelines.validate import validate

_FIELDS = tuple(field.name for field in fields(Article))
_CONTENT_TYPE = re.compile(rb"^content-type:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Problem(NamedTuple):
    """An article that was not re-extracted, and why."""

    url: str
    reason: str


class ChosenArticle(NamedTuple):
    """An archived article that is to be read again."""

    page: int
    url: str


class StoredArticle(NamedTuple):
    """An archived article with its original: all that it takes to read it again, on any machine."""

    page: int
    article: Article
    extractor_version: int | None
    record: int
    original: StoredOriginal

    @property
    def url(self) -> str:
        """Return its address."""
        return self.article.url


class Difference(NamedTuple):
    """An article that is read in another way than it is archived, or by another version of the extractors."""

    reextraction: Reextraction
    fields: tuple[str, ...] = ()
    """Names of the fields that differ."""
    words: int = 0
    """Words that the text gains; below 0 where it loses some."""
    images: int = 0
    """The same for its images."""
    problem: str | None = None
    """Why it is quarantined."""


def read_original(db: Database, data: Path, url: str, record: int) -> Reading:
    """Extract the article of a canonical address from the original in a record, in its normal form.

    Raises UsageError where the file does not have the original any more, OSError, and UnreadablePage.
    """
    return _extract(originals.read(db, data, record), url)


def _extract(original: Original, url: str) -> Reading:
    reading = extractors.read(original.content, url, _charset_of(original.head))
    return reading._replace(article=normalize(reading.article)) if reading.article else reading


def _charset_of(head: bytes) -> str | None:
    named = _CONTENT_TYPE.findall(head)
    return charset_in(named[-1].decode("latin-1")) if named else None


def load(db: Database, data: Path, page: int) -> StoredArticle:
    """Load an archived article with its original. Raises UsageError if it has none, and OSError."""
    record = records.of_article(db, page)
    (version,) = db.execute("SELECT extractor_version FROM articles WHERE id = ?", [page]).fetchone()
    return StoredArticle(page, articles.load(db, page), version, record, originals.load(db, data, record))


class Loader:
    """Load articles of an archive. It is pickled to a process of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._db: Database | None = None

    def __call__(self, batch: Sequence[ChosenArticle]) -> list[StoredArticle | Problem]:
        """Return each with its original, or the problem of one that can't be loaded."""
        if self._db is None:
            self._db = open_readonly(self._data / "archive.db")
        return [self._load(self._db, chosen) for chosen in batch]

    def _load(self, db: Database, chosen: ChosenArticle) -> StoredArticle | Problem:
        try:
            return load(db, self._data, chosen.page)
        except (AlsoreadError, OSError) as error:
            return _problem_of(chosen.url, error, self._data)


class Reader:
    """Load articles and read them again. It is pickled to a process of its own."""

    def __init__(self, data: Path) -> None:
        self._load = Loader(data)

    def __call__(self, batch: Sequence[ChosenArticle]) -> list[Difference | Problem]:
        """Return the results of `reread`."""
        return reread(self._load(batch))


def reread(batch: Sequence[StoredArticle | Problem]) -> list[Difference | Problem]:
    """Return the articles that are not as the current extractors read them, and those that can't be read."""
    results = [item if isinstance(item, Problem) else _reread(item) for item in batch]
    return [result for result in results if result]


def _reread(stored: StoredArticle) -> Difference | Problem | None:
    try:
        difference = _compare(stored.article, reextract(stored))
    except Exception as error:  # no page may end the run
        return _problem_of(stored.url, error, stored.original.data)
    is_current = stored.extractor_version == EXTRACTOR_VERSION
    return difference if difference.problem or difference.fields or not is_current else None


def _problem_of(url: str, error: Exception, data: Path) -> Problem:
    """Return why an article can't be re-extracted."""
    if isinstance(error, AlsoreadError):
        return Problem(url, str(error))
    if isinstance(error, OSError):
        return Problem(url, str(explain(error, data)))
    reason = error if isinstance(error, UnreadablePage) else repr(error)
    return Problem(url, f"The page can't be read: {reason}.")


def unread(item: ChosenArticle | StoredArticle | Problem, ended: Ended) -> Problem:
    """Return the result of an article over which the process ended."""
    reason = f"Reading the page ended the reader ({ended})."
    if ended.timed_out:
        reason = f"Reading the page takes more than {ALSOREAD_READ_TIMEOUT} seconds of CPU time."
    return Problem(item.url, reason)


def reextract(stored: StoredArticle) -> Reextraction:
    """Read an archived article from its original again. Raises as `read_original`."""
    archived = stored.article
    reading = _extract(originals.parse(stored.original), archived.url)
    reextraction = Reextraction(
        page=stored.page,
        url=archived.url,
        record=stored.record,
        fetched_at=stored.original.fetched_at,
        extractor_version=EXTRACTOR_VERSION,
    )
    if reading.article is None:
        return reextraction
    visit = Visit(url=archived.url, state="stored", article=reading.article, cut_off=reading.cut_off)
    visit = validate(visit, archived=None)
    article = visit.article or reading.article  # without text it is left to the caller
    extra = articles.keys_from_files(archived.extra) | article.extra
    return replace(reextraction, article=replace(article, extra=extra), flaw=visit.reason)


def _compare(archived: Article, reextraction: Reextraction) -> Difference:
    article = reextraction.article
    if article is None:
        kept = replace(reextraction, quarantine=Quarantine(RE_EXTRACTION, None))
        return Difference(kept, problem="the page no longer reads as an article")
    different = tuple(name for name in _FIELDS if getattr(article, name) != getattr(archived, name))
    if not different:
        return Difference(replace(reextraction, article=None))
    if problem := reads_less(_comparison(article, archived)):
        doubt = Quarantine(RE_EXTRACTION, hash_of_body(article))
        return Difference(replace(reextraction, article=None, quarantine=doubt), problem=problem)
    return Difference(
        reextraction,
        different,
        words=len(article.body.split()) - len(archived.body.split()),
        images=len(article.images) - len(archived.images),
    )


def _comparison(article: Article, archived: Article) -> Comparison:
    former = Archived(
        title=archived.title,
        body=archived.body,
        extractor=archived.extractor,
        images=len(archived.images),
    )
    return Comparison(article=article, cut_off=False, archived=former)
