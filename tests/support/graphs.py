"""Archives of given articles, analysed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from crawler.items import Article, Visit
from pipelines.analysis.update import update_analyses
from pipelines.archive.catalog import Catalog
from pipelines.archive.lock import open_locked


def archive_of(data: Path, articles: Iterable[Article], *, redirects: Iterable[tuple[str, str]] = ()) -> Path:
    """Make an archive of the articles, or add them to one, and analyse it; return its folder."""
    store(data, articles, redirects=redirects)
    with open_locked(data / "archive.db") as db:
        update_analyses(db)
    return data


def store(data: Path, articles: Iterable[Article], *, redirects: Iterable[tuple[str, str]] = ()) -> None:
    """Store articles in an archive, as a crawl does, and pages that redirect to others."""
    with closing(Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[])) as catalog:
        catalog.begin_crawl()
        for article in articles:
            catalog.add(Visit(url=article.url, state="stored", status=200, article=article))
        for url, target in redirects:
            catalog.add(Visit(url=url, state="not_article", status=301, reason="redirect", moved_to=target))
        catalog.end_crawl("finished")
