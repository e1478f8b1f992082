"""Read an archived article from its original, and compare: the worker side of a re-extraction."""

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
from pipelines.archive import articles, records
from pipelines.archive.connection import open_readonly
from pipelines.archive.plausibility import RE_EXTRACTION, Archived, Comparison, hash_of_body, reads_less
from pipelines.archive.storage_errors import explain
from pipelines.normalize import normalize
from pipelines.originals.read import read
from pipelines.originals.reextractions import Reextraction
from pipelines.validate import validate

_FIELDS = tuple(field.name for field in fields(Article))
_CONTENT_TYPE = re.compile(rb"^content-type:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Problem(NamedTuple):
    """An article that was not re-extracted, and why."""

    url: str
    reason: str


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
    original = read(db, data, record)
    reading = extractors.read(original.content, url, _charset_of(original.head))
    return reading._replace(article=normalize(reading.article)) if reading.article else reading


def _charset_of(head: bytes) -> str | None:
    named = _CONTENT_TYPE.findall(head)
    return charset_in(named[-1].decode("latin-1")) if named else None


class Reader:
    """Read articles of an archive from their originals, by ids of pages. It is pickled to a process of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._db: Database | None = None

    def __call__(self, pages: Sequence[int]) -> list[Difference | Problem]:
        """Return the articles that are not as the current extractors read them, and those that can't be read."""
        if self._db is None:
            self._db = open_readonly(self._data / "archive.db")
        results = [self._read(self._db, page) for page in pages]
        return [result for result in results if result]

    def _read(self, db: Database, page: int) -> Difference | Problem | None:
        archived = articles.load(db, page)
        try:
            reextraction = reextract(db, self._data, archived, page)
        except AlsoreadError as error:
            return Problem(archived.url, str(error))
        except OSError as error:
            return Problem(archived.url, str(explain(error, self._data)))
        except UnreadablePage as error:
            return Problem(archived.url, f"The page can't be read: {error}.")
        except Exception as error:  # no page may end the run
            return Problem(archived.url, f"The page can't be read: {error!r}.")
        difference = _compare(archived, reextraction)
        (version,) = db.execute("SELECT extractor_version FROM articles WHERE id = ?", [page]).fetchone()
        if difference.problem or difference.fields or version != EXTRACTOR_VERSION:
            return difference
        return None


def reextract(db: Database, data: Path, archived: Article, page: int) -> Reextraction:
    """Read an archived article from its original again. Raises as `read_original`, and UsageError if it has none."""
    record = records.of_article(db, page)
    reading = read_original(db, data, archived.url, record)
    (fetched_at,) = db.execute("SELECT fetched_at FROM warc_records WHERE id = ?", [record]).fetchone()
    reextraction = Reextraction(
        page=page,
        url=archived.url,
        record=record,
        fetched_at=fetched_at,
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
    if problem := reads_less(_comparison(article, archived)):
        doubt = Quarantine(RE_EXTRACTION, hash_of_body(article))
        return Difference(replace(reextraction, article=None, quarantine=doubt), problem=problem)
    different = tuple(name for name in _FIELDS if getattr(article, name) != getattr(archived, name))
    if not different:
        return Difference(replace(reextraction, article=None))
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
