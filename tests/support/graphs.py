"""Archives of given articles, analysed, and what that says of them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from crawler.items import Article, Visit
from pipelines.analysis import graph
from pipelines.analysis.update import update_analyses
from pipelines.archive.analyses import count_uncompared
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
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


def results(data: Path) -> list[Any]:
    """Measures and families by address, of an archive whose analyses are up to date."""
    queries = (
        "SELECT url, pagerank, in_degree, out_degree FROM article_ranks ORDER BY url",
        """SELECT member.url, chosen.url, similarity FROM near_duplicates
           JOIN pages AS member ON member.id = article JOIN pages AS chosen ON chosen.id = canonical
           ORDER BY member.url""",
        "SELECT * FROM families",
    )
    with closing(open_readonly(data / "archive.db")) as db:
        assert count_uncompared(db) == 0
        assert not graph.is_wrong(db)
        rows = [db.execute(query).fetchall() for query in queries]
        assert len(rows[0]) == len(rows[1]) == db.table("articles").count
        return rows
