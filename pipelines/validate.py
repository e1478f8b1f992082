"""Turn empty or doubtful articles into failures, so that they never replace a good copy."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from crawler.clock import now
from crawler.items import Article, Quarantine, Visit
from crawler.signals import archive_opened
from crawler.urls import host_of
from pipelines.archive import quarantine
from pipelines.archive.plausibility import NOT_ARTICLE, Comparison, find_doubt, find_flaw, hash_of_body
from pipelines.archive.quarantine import Archived

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

LINKS_PER_PAGE = 5_000
"""Also-read links of one page that are followed; real pages have 20."""


def validate(visit: Visit, archived: Archived | None, host_articles: int = 0, host_changed: int = 0) -> Visit:
    """Turn a visit into a failure where its article has no text, or where storing it could lose a good copy.

    A first copy of an article that breaks off is stored, with its reason. A redirect loses nothing: the article
    has moved. `host_articles`, `host_changed`: as in a Comparison.
    """
    if visit.article is None:
        lost = visit.state == "not_article" and not visit.moved_to
        if lost and archived is not None:
            return _quarantined(
                visit, Quarantine(NOT_ARTICLE, None), "the page no longer reads as an article"
            )
        return visit
    if archived is None:
        return _first(visit, visit.article)
    comparison = Comparison(
        article=visit.article,
        cut_off=visit.cut_off,
        archived=archived,
        host_articles=host_articles,
        host_changed=host_changed,
    )
    if doubt := find_doubt(comparison, visit.at or now()):
        rule, detail = doubt
        return _quarantined(visit, Quarantine(rule.name, hash_of_body(visit.article)), detail)
    return _flagged(visit, visit.article)


def _first(visit: Visit, article: Article) -> Visit:
    if not article.body or article.body.isspace():
        return replace(visit, state="failed", reason="the article has no text", article=None)
    return _flagged(visit, article)


def _quarantined(visit: Visit, doubt: Quarantine, detail: str) -> Visit:
    reason = f"{doubt.rule}: {detail}; the archived copy is kept"
    return replace(visit, state="failed", reason=reason, article=None, quarantine=doubt)


def _flagged(visit: Visit, article: Article) -> Visit:
    """Add a reason if the visit's article may not be whole or right. It is requested without validators next time:
    a server that says "not modified" means its own copy, which may be whole.
    """
    if (links := len(article.also_read)) > LINKS_PER_PAGE:
        reason = (
            f"too-many-links: {links:,} also-read links, of which the first {LINKS_PER_PAGE:,} are followed"
        )
        article = replace(article, also_read=article.also_read[:LINKS_PER_PAGE])
        visit = replace(visit, reason=reason, article=article)
    elif flaw := find_flaw(article, visit.at or now()):
        visit = replace(visit, reason=flaw, etag=None, last_modified=None)
    if visit.cut_off:
        reason = "cut-off: the page ends before its template does"
        visit = replace(visit, reason=reason, etag=None, last_modified=None)
    return visit


class Validate:
    """Validate every article against the archived one."""

    def __init__(self) -> None:
        self.changed: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the stage for a crawl."""
        stage = cls()
        crawler.signals.connect(stage.archive_opened, archive_opened)
        return stage

    def archive_opened(self, catalog: Catalog) -> None:
        """Compare with the articles of this catalog."""
        self.catalog = catalog
        self.articles = cache(lambda host: quarantine.count_articles(catalog.db, host))

    def process_item(self, item: Any) -> Any:
        """Return the item, validated if it is a visit to a page with status 200."""
        if not isinstance(item, Visit) or item.status != 200:
            return item
        archived = quarantine.find_archived(self.catalog.db, item.url)
        if archived is None:
            return validate(item, None)
        host = host_of(item.url)
        visit = validate(item, archived, self.articles(host), self.changed[host])
        self.changed[host] += visit.article is not None and visit.article.body != archived.body
        return visit
