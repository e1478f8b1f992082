"""Store, read and compare the revisions of an article."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Any

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.items import Article, Image
from pipelines.archive.article_file import path_of, render

VERSIONED_FIELDS = ("title", "author", "body", "images")
"""A difference in one of these is a change of the article and makes a revision; any other is only recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An article as it was for a time. Times are as the archive writes them."""

    number: int
    """From 1, the oldest."""
    archived_at: str
    replaced_at: str | None
    """None for the current one."""
    crawl: int
    article: Article
    """Its address, title, author, dates, body and images; of the rest nothing is kept, so it is absent."""
    changes: list[str]
    """Fields of VERSIONED_FIELDS that differ from the revision before."""
    reextracted: bool = False
    """Whether it differs only as another extractor read the same original: the site changed nothing."""

    @property
    def words(self) -> int:
        """Words of the body, split at white space."""
        return len(self.article.body.split())

    @property
    def described_changes(self) -> str:
        """Fields that differ from the revision before, in words."""
        changes = ", ".join(self.changes)
        return f"re-extracted: {changes}" if self.reextracted else changes


def keep(db: Database, old: dict[str, Any], now: str, *, reextracted: bool = False) -> None:
    """Store an article's row, with its `images`, as a revision, in the caller's transaction.

    `reextracted`: it is replaced by another reading of its own original.
    """
    db.execute(
        """INSERT INTO revisions (article, archived_at, replaced_at, crawl,
                                  title, author, date, updated, body, body_hash, images, record, reextracted)
           VALUES (:id, :changed_at, :now, :changed_crawl,
                   :title, :author, :date, :updated, :body, :body_hash, :images, :record, :reextracted)""",
        {
            **old,
            "now": now,
            "reextracted": reextracted,
            "images": json.dumps(old["images"], ensure_ascii=False),
        },
    )


def load(db: Database, page: int) -> list[Revision]:
    """Return all revisions of a page's article, oldest first; the last is the current one."""
    # One statement, so that a crawl which writes meanwhile can't move one between two queries.
    rows = db.query(
        """SELECT * FROM (
             SELECT revisions.id AS revision, revisions.archived_at, replaced_at, revisions.crawl, url,
                    revisions.title, revisions.author, revisions.date, revisions.updated, revisions.body, images,
                    reextracted
             FROM revisions JOIN articles ON articles.id = revisions.article WHERE article = :page
             UNION ALL
             SELECT NULL, changed_at, NULL, changed_crawl, url, title, author, date, updated, body,
                    (SELECT json_group_array(json_object('url', url, 'alt', alt, 'title', title))
                     FROM (SELECT * FROM images WHERE article = :page ORDER BY position)),
                    0
             FROM articles WHERE id = :page)
           ORDER BY replaced_at IS NULL, archived_at, revision""",
        {"page": page},
    )
    revisions: list[Revision] = []
    reextracted_at: str | None = None  # when a re-extraction replaced the revision before
    for number, row in enumerate(rows, start=1):
        article = _article(row)
        before = revisions[-1].article if revisions else article
        revisions.append(
            Revision(
                number=number,
                archived_at=reextracted_at or row["archived_at"],
                replaced_at=row["replaced_at"],
                crawl=row["crawl"],
                article=article,
                changes=[
                    name for name in VERSIONED_FIELDS if getattr(article, name) != getattr(before, name)
                ],
                reextracted=reextracted_at is not None,
            )
        )
        reextracted_at = row["replaced_at"] if row["reextracted"] else None
    return revisions


def _article(row: dict[str, Any]) -> Article:
    return Article(
        url=row["url"],
        title=row["title"],
        author=row["author"],
        date=datetime.fromisoformat(row["date"]) if row["date"] else None,
        updated=datetime.fromisoformat(row["updated"]) if row["updated"] else None,
        tags=[],
        categories=[],
        description=None,
        keywords=None,
        thumbnail=None,
        lang=None,
        license=None,
        body=row["body"],
        images=[Image(**image) for image in json.loads(row["images"])],
        also_read=[],
        extractor="",
    )


def pair(revisions: list[Revision], number: int | None) -> tuple[Revision, Revision]:
    """Return a revision and the one before it, by default the current one. Raises UsageError."""
    url, newest = revisions[-1].article.url, len(revisions)
    if newest == 1:
        raise UsageError(f"{url} has only one revision: it has not changed since it was archived.")
    if number is None:
        number = newest
    if not 2 <= number <= newest:
        what = "is the first: none is before it" if number == 1 else "does not exist"
        raise UsageError(f"Revision {number} of {url} {what}; choose one from 2 to {newest}.")
    return revisions[number - 2], revisions[number - 1]


def diff(old: Revision, new: Revision) -> Iterator[str]:
    """The lines of a unified diff, without their ends, between two revisions as Markdown files."""
    return diff_files(
        old.article,
        new.article,
        f"revision {old.number}, {old.archived_at}",
        f"revision {new.number}, {new.archived_at}",
    )


def diff_files(old: Article, new: Article, old_label: str, new_label: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without their ends, between two versions of an article as Markdown files."""
    path = str(path_of(new.url))
    return unified_diff(
        _lines(old),
        _lines(new),
        fromfile=path,
        tofile=path,
        fromfiledate=old_label,
        tofiledate=new_label,
        lineterm="",
    )


def _lines(article: Article) -> list[str]:
    return render(article).removesuffix("\n").split("\n")
