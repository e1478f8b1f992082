"""Make one article of two copies of it: the archive's and that of an imported file; keep the older one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlite_utils import Database

from crawler.items import Article
from pipelines.archive import articles, revisions
from pipelines.archive.article_file import VOCABULARY

_NEVER = datetime.min.replace(tzinfo=UTC)


def reconcile(imported: Article, archived: Article) -> tuple[Article, Article | None]:
    """Return the current copy, and the imported one where it is an older version to keep as a revision.

    The newer of the two becomes the current copy; what it leaves out is taken from the other.
    """
    merged = _fill(imported, archived)
    is_same = is_same_version(merged, archived)
    if _changed_at(imported) <= _changed_at(archived):
        return _fill(archived, imported), None if is_same else imported
    if is_same:
        merged = replace(merged, extractor=archived.extractor)
        if imported.extractor == "source":  # its clock is not that of the pages
            merged = replace(merged, updated=archived.updated)
    return merged, None


def is_same_version(article: Article, other: Article) -> bool:
    """Return whether two articles differ in nothing that makes a revision."""
    return all(getattr(article, name) == getattr(other, name) for name in revisions.VERSIONED_FIELDS)


def keep_older(
    db: Database, page: int, older: Article, at: str, crawl: int, record: int | None = None
) -> None:
    """Keep an older version of an article as a revision, unless the archive has that version already.

    It is from `at`, until the next version that the archive has. In the caller's transaction.
    """
    versions = revisions.load(db, page)
    if any(is_same_version(older, version.article) for version in versions):
        return
    later = min((version.archived_at for version in versions if version.archived_at > at), default=at)
    row = articles.columns(older) | {"images": [image._asdict() for image in older.images]}
    stamps = {"id": page, "changed_at": at, "changed_crawl": crawl, "record": record}
    revisions.keep(db, row | stamps, later)


def _changed_at(article: Article) -> datetime:
    return article.updated or article.date or _NEVER


def _fill(article: Article, other: Article) -> Article:
    """Take what an article leaves out from another copy, but no images: they are those of the text.

    A source's date gives way to that of a page, which knows it best.
    """
    gaps = {
        name: getattr(other, name)
        for name in VOCABULARY
        if name != "images" and getattr(article, name) in (None, [])
    }
    if article.extractor == "source" and other.extractor != "source" and other.date:
        gaps["date"] = other.date
    return replace(article, extra=other.extra | article.extra, **gaps)
