"""Store articles as another extractor reads them from their originals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import Article, Quarantine, iso
from pipelines.archive import articles, pages, quarantine
from pipelines.archive.article_file import path_of, render
from pipelines.archive.batches import BatchStore
from pipelines.archive.catalog import last_crawl
from pipelines.archive.files import files_written
from pipelines.archive.originals import NOTHING, Originals


@dataclass(frozen=True, slots=True, kw_only=True)
class Reextraction:
    """An archived article, read from its original again."""

    page: int
    url: str
    record: int
    """The original."""
    fetched_at: str
    """When that was fetched."""
    extractor_version: int
    article: Article | None = None
    """What was read; None where the archived article is the same, or stays."""
    flaw: str | None = None
    """The reason with which the article is stored, as of a visit."""
    quarantine: Quarantine | None = None
    """Set where the article may not replace the archived one."""


class ReextractionStore(BatchStore[Reextraction]):
    """Write re-extractions to an archive that this process has locked. No page's state or time of visit changes."""

    def __init__(self, db: Database, data: Path, *, scope: Sequence[str]) -> None:
        """`scope`: domains of which also-read links become due pages."""
        # Rows belong to the last crawl: a re-extraction is none of its own, and an interrupted one still resumes.
        self.crawl = last_crawl(db)
        super().__init__(db, data, Originals(data, self.crawl, NOTHING))
        self.root, self.scope = data / "articles", scope

    def store(self, items: Sequence[Reextraction]) -> list[str]:
        """Write the files and rows of several re-extractions.

        Return for each `changed`, also where no revision was made, `quarantined` or `unchanged`.
        """
        with files_written(self.root) as put:
            hashes = [
                put(path_of(item.url), render(item.article).encode()) if item.article else None
                for item in items
            ]
        moment = iso(now())
        self._confirm([item for item in items if item.article is None and item.quarantine is None])
        return [self._store(item, hash_, moment) for item, hash_ in zip(items, hashes, strict=True)]

    def _store(self, item: Reextraction, file_hash: str | None, moment: str) -> str:
        if item.quarantine:
            quarantine.put_reextraction(self.db, item.page, self.crawl, item.quarantine, moment, item.record)
            return "quarantined"
        if item.article is None:
            return "unchanged"
        articles.store(
            self.db,
            item.page,
            item.article,
            self.crawl,
            moment,
            file_hash=file_hash,
            origin=articles.Origin(item.record, item.extractor_version),
        )
        self._store_links(item, item.article, moment)
        self.db.execute(
            "UPDATE pages SET error = ? WHERE id = ? AND state = 'stored' AND error IS NOT ?",
            [item.flaw, item.page, item.flaw],
        )
        quarantine.release_reextractions(self.db, [item.page])
        return "changed"

    def _store_links(self, item: Reextraction, article: Article, moment: str) -> None:
        (depth,) = self.db.execute("SELECT depth FROM pages WHERE id = ?", [item.page]).fetchone()
        urls = [link.url for link in article.also_read]
        targets = pages.add(self.db, urls, scope=self.scope, depth=depth + 1, now=moment, found_on=item.page)
        listed = [(targets[link.url], link.text) for link in article.also_read]
        articles.store_links(self.db, {item.page: listed}, item.fetched_at)

    def _confirm(self, items: Sequence[Reextraction]) -> None:
        """Record that articles are the same as another version of the extractors reads them."""
        if not items:
            return
        confirmed = [item.page for item in items]
        self.db.execute(
            "UPDATE articles SET extractor_version = ? WHERE id IN (SELECT value FROM json_each(?))",
            [items[0].extractor_version, json.dumps(confirmed)],
        )
        quarantine.release_reextractions(self.db, confirmed)
